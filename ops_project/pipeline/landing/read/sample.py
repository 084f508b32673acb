"""Reads a file whose format is not known yet, for the draft of a contract.

Landing never uses this module, because landing guesses nothing. The person who approves the contract sees the guesses
that are made here.
"""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.decide.dialect import Reading, read_text
from ops_project.pipeline.landing.read.json_document import Elements
from ops_project.pipeline.landing.read.scan import Undecodable

# The number of bytes that are read into memory. The draft of a larger file is based on its beginning. The draft is then
# widened until the rest of the file loads.
BYTES, ROWS = 32_000_000, 400_000
_MARKUP = re.compile(r"\s*<(\?xml|!doctype|html|head|body)\b", re.IGNORECASE)


def read_sample(path: Path, encoding: str | None = None) -> Reading:
    """The rows of a delimited, fixed-width, JSON or Parquet file. Raises ValueError if the file is of another kind.

    `encoding`: the encoding, if it is known; otherwise it is guessed.
    """
    if path.name.endswith(".parquet") or _begins_with(path, b"PAR1"):
        return _parquet(path)
    zipped = path.name.endswith(".gz") or _begins_with(path, b"\x1f\x8b")
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        raw = file.read(BYTES)
    if not raw.strip():
        raise ValueError(f"{path.name} is empty: a draft needs some rows")
    if raw[:4] == b"PK\x03\x04" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise ValueError(f"{path.name} is a workbook or an archive, not text: save the table in it as CSV")
    found = encoding or _encoding(raw)
    # The part that was read may end in the middle of a character or a line. Such a character is ignored, and the last
    # line is left out.
    text = raw.decode(found, "ignore" if len(raw) == BYTES else "strict").lstrip("\ufeff")
    if "\0" in text:
        raise ValueError(f"{path.name} holds NUL bytes, so it is not text")
    if _MARKUP.match(text):
        raise ValueError(f"{path.name} is a page of HTML or XML, not a table: often the message of an error")
    layout: dict[str, Any] = {} if found == "utf-8" else {"encoding": found}
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text, layout, is_whole=len(raw) < BYTES)
    if len(raw) == BYTES:
        text = text[: text.rfind("\n") + 1]
    declared = text.split("\n", 1)[0].strip()
    if declared.lower().startswith("sep=") and len(declared) == 5:
        # Excel writes this line to name the delimiter. The line is not a record.
        reading = read_text(text.split("\n", 1)[1], layout)
        reading.format["skip_lines"] = reading.format.get("skip_lines", 0) + 1
        return reading
    return read_text(text, layout)


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _encoding(raw: bytes) -> str:
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=len(raw) < BYTES)
    except UnicodeDecodeError:
        return "cp1252" if not any(byte in raw for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)) else "latin-1"
    if raw[1:200:2].count(0) > 50 or raw[:200:2].count(0) > 50:
        return "utf-16-le" if raw[1:200:2].count(0) > 50 else "utf-16-be"
    return "utf-8"


def _json(path: Path, text: str, layout: dict[str, Any], *, is_whole: bool) -> Reading:
    """The rows of JSON lines or of one document. A document is an array of objects, an object that holds such an array,
    or a single object.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    form: dict[str, Any] = {"kind": "jsonl", **layout}
    doubts: list[str] = []
    objects = _objects(lines[: min(ROWS, len(lines) if is_whole else len(lines) - 1)])
    # A file with a single line is one document if the object on that line holds an array of records.
    if objects is None or (len(lines) == 1 and is_whole and _arrays(objects[0])):
        form = {"kind": "json", **layout}
        if text.lstrip()[0] == "{":
            arrays = _arrays(_whole(path, text))
            if arrays:
                form["records"] = max(arrays, key=lambda name: arrays[name])
                doubts.append(f"records: {form['records']}, because the longest array of objects is there")
        texts: list[str] = []
        try:
            texts.extend(itertools.islice(Elements(io.StringIO(text), Format.model_validate(form)), ROWS))
        except Undecodable as error:
            if is_whole:
                raise ValueError(f"{path.name} is not a complete JSON document: {error}") from None
        objects = _objects(texts)
    if not objects:
        raise ValueError(f"{path.name}: every record must be a JSON object, and at least one is needed for a draft")
    flat = [_flat(item) for item in objects]
    fields = list(dict.fromkeys(name for item in flat for name in item))
    # A null instead of a nested object means that all fields of the object are absent. So the name of the object is not
    # a field itself.
    above = {name[:place] for name in fields for place, character in enumerate(name) if character == "."}
    fields = [name for name in fields if name not in above or any(item.get(name) for item in flat)]
    rows = [[item.get(name, "") for name in fields] for item in flat]
    return Reading(fields, rows, form, doubts)


def _objects(texts: Sequence[str]) -> list[dict[str, Any]] | None:
    """The texts as JSON objects; None if one of them is not an object."""
    try:
        found = [json.loads(text, parse_float=str, parse_int=str) for text in texts]
    except (ValueError, RecursionError):
        return None
    return found if found and all(isinstance(item, dict) for item in found) else None


def _whole(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name}: neither JSON lines nor one complete JSON document: {error}") from None


def _arrays(value: Any, above: str = "") -> dict[str, int]:
    """The arrays of objects inside an object: keys with dots → length of the array."""
    found: dict[str, int] = {}
    if isinstance(value, dict):
        for name, item in value.items():
            if "." in name or not name:
                continue
            if isinstance(item, list) and item and all(isinstance(one, dict) for one in item):
                found[f"{above}{name}"] = len(item)
            found |= _arrays(item, f"{above}{name}.")
    return found


def _flat(value: dict[str, Any], above: str = "") -> dict[str, str]:
    result: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, dict) and item:
            result |= _flat(item, f"{above}{name}.")
        else:
            result[above + name] = "" if item is None else item if isinstance(item, str) else json.dumps(item)
    return result


def _parquet(path: Path) -> Reading:
    try:
        with pq.ParquetFile(path) as file:
            table = next(file.iter_batches(ROWS), None)
            fields = list(file.schema_arrow.names)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} is not a complete Parquet file: {str(error).splitlines()[0]}") from None
    columns = [] if table is None else [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return Reading(fields, [list(row) for row in zip(*columns, strict=True)], {"kind": "parquet"})


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
