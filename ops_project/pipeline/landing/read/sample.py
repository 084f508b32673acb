"""Reads a file whose dialect is not known yet, for the draft of a contract.

Landing never uses this module, because landing guesses nothing. The guess that is made here is shown to the person who
approves the contract.
"""

from __future__ import annotations

import codecs
import gzip
import json
import shlex
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ops_project.pipeline.landing.decide.dialect import Reading, read_text

# The bytes that are read into memory. A larger file is drafted from its beginning, and the draft is widened until the
# rest of the file loads.
BYTES, ROWS = 32_000_000, 400_000


def read_sample(path: Path, encoding: str | None = None) -> Reading:
    """The rows of a delimited, fixed-width, JSON-lines or Parquet file. Raises ValueError where it is none of these.

    `encoding`: the one that is known already; else it is guessed.
    """
    if path.name.endswith(".parquet") or _begins_with(path, b"PAR1"):
        return _parquet(path)
    zipped = path.name.endswith(".gz") or _begins_with(path, b"\x1f\x8b")
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        raw = file.read(BYTES)
    if not raw.strip():
        raise ValueError(f"{path.name} is empty: a draft needs some rows")
    if raw[:4] == b"PK\x03\x04" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise ValueError(f"{path.name} is a workbook or an archive, not a text: save the table in it as CSV")
    found = encoding or _encoding(raw)
    # The part that was read may end within a character or a line, so its last line is left out.
    text = raw.decode(found, "ignore" if len(raw) == BYTES else "strict").lstrip("\ufeff")
    if "\0" in text:
        raise ValueError(f"{path.name} holds NUL bytes: it is no text")
    if len(raw) == BYTES:
        text = text[: text.rfind("\n") + 1]
    layout: dict[str, Any] = {} if found == "utf-8" else {"encoding": found}
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text, layout)
    declared = text.split("\n", 1)[0].strip()
    if declared.lower().startswith("sep=") and len(declared) == 5:
        # A line that Excel writes. It is not a record; it names the delimiter.
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


def _json(path: Path, text: str, layout: dict[str, Any]) -> Reading:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        objects = [json.loads(line, parse_float=str, parse_int=str) for line in lines[:ROWS]]
    except ValueError:
        objects = []
    if not objects or not all(isinstance(item, dict) for item in objects):
        if _is_document(text):
            # This command works when it is pasted into a shell: where `ops` is installed, Python is as well.
            script = "import json,sys;[print(json.dumps(r)) for r in json.load(sys.stdin)]"
            target = f"{path.name.removesuffix('.gz').rpartition('.')[0] or path.name}.jsonl"
            read = "gunzip -c" if path.name.endswith(".gz") else "cat"
            raise ValueError(
                f"{path.name} is one JSON document; JSON lines are read, one object a line: "
                f"jq -c '.[]' {shlex.quote(path.name)} > {shlex.quote(target)}, or without jq:\n"
                f"  {read} {shlex.quote(str(path))} | python3 -c {shlex.quote(script)} > {shlex.quote(target)}"
            )
        raise ValueError(f"{path.name}: every line must be a JSON object")
    flat = [_flat(item) for item in objects]
    fields = list(dict.fromkeys(name for item in flat for name in item))
    return Reading(fields, [[item.get(name, "") for name in fields] for item in flat], {"kind": "jsonl", **layout})


def _is_document(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


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
        raise ValueError(f"{path.name} is no whole Parquet file: {str(error).splitlines()[0]}") from None
    columns = [] if table is None else [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return Reading(fields, [list(row) for row in zip(*columns, strict=True)], {"kind": "parquet"})


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
