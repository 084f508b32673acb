"""The beginning of a file whose dialect nobody has written down yet: for a draft of a contract, never for landing.

Landing detects nothing. Here it is guessed, and the guess is shown to whoever signs the contract.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

BYTES, ROWS = 4_000_000, 20_000
DELIMITERS = ",;\t|"
QUOTES = "\"'"
LOOKED_AT = 200


@dataclass(frozen=True)
class Sample:
    """What a file seems to be: the keys of `format` that differ from the defaults, and its first rows as text."""

    fields: list[str]
    rows: list[list[str]]
    format: dict[str, Any] = field(default_factory=dict)


def read_sample(path: Path) -> Sample:
    """The first rows of a CSV, JSON-lines or Parquet file. Raises ValueError where it is none of these."""
    if path.name.endswith(".parquet"):
        return _parquet(path)
    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as file:
        raw = file.read(BYTES)
    if not raw.strip():
        raise ValueError(f"{path.name} is empty: a draft needs a header and some rows")
    encoding = _encoding(raw)
    # What was cut may end within a character or a line: its last line is left out.
    text = raw.decode(encoding, "ignore" if len(raw) == BYTES else "strict").lstrip("\ufeff")
    if len(raw) == BYTES:
        text = text[: text.rfind("\n") + 1]
    layout: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text, layout)
    return _csv(text, layout)


def _encoding(raw: bytes) -> str:
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=len(raw) < BYTES)
    except UnicodeDecodeError:
        return "cp1252" if b"\x81" not in raw and b"\x8d" not in raw and b"\x9d" not in raw else "latin-1"
    return "utf-8"


def _csv(text: str, layout: dict[str, Any]) -> Sample:
    readings = []
    for delimiter, quote in itertools.product(DELIMITERS, QUOTES):
        rows = _quoted_rows(text, delimiter, quote)
        if rows is None:
            continue
        widths = [len(row) for row in rows]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        readings.append((usual > 1, widths.count(usual) / len(widths), usual, delimiter, quote))
    # Of equally good readings the single quote wins: it was read only where it opens and closes fields throughout.
    _, _, width, delimiter, quote = max(readings)
    rows = list(itertools.islice(_rows(text, delimiter, quote), ROWS + 50))
    above = next(index for index, row in enumerate(rows) if len(row) == width)
    if above:
        # Counted in physical lines, blank ones too: that is what a contract skips.
        layout["skip_lines"] = next(
            index
            for index, line in enumerate(text.splitlines())
            if next(_rows(line, delimiter, quote), []) == rows[above]
        )
    if delimiter != ",":
        layout["delimiter"] = delimiter
    if quote != QUOTES[0]:
        layout["quote"] = quote
    fields = [name.strip() for name in rows[above]]
    return Sample(fields, [row for row in rows[above + 1 :] if len(row) == width], layout)


def _quoted_rows(text: str, delimiter: str, quote: str) -> list[list[str]] | None:
    """The first rows; None where `quote` is not the usual one and does not stand around fields."""
    if quote == QUOTES[0]:
        return list(itertools.islice(_rows(text, delimiter, quote), LOOKED_AT))
    begins = rf"(?:^|{re.escape(delimiter)})"
    if not re.search(begins + re.escape(quote), text, re.MULTILINE) or re.search(begins + '"', text, re.MULTILINE):
        return None
    try:
        # An apostrophe at the beginning of a word opens a field, and what follows its closing one is an error.
        return list(itertools.islice(_rows(text, delimiter, quote, strict=True), LOOKED_AT))
    except csv.Error:
        return None


def _rows(text: str, delimiter: str, quote: str, strict: bool = False) -> Any:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=strict)
    return (row for row in reader if row)


def _json(path: Path, text: str, layout: dict[str, Any]) -> Sample:
    try:
        lines = [line for line in text.splitlines() if line.strip()][:ROWS]
        objects = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    except ValueError:
        raise ValueError(
            f"{path.name} is one JSON document; JSON lines are read, one object a line: jq -c '.[]' {path.name} > "
            f"{path.stem}.jsonl"
        ) from None
    if not all(isinstance(item, dict) for item in objects):
        raise ValueError(f"{path.name}: every line must be a JSON object")
    flat = [_flat(item) for item in objects]
    fields = list(dict.fromkeys(name for item in flat for name in item))
    return Sample(fields, [[item.get(name, "") for name in fields] for item in flat], {"kind": "jsonl", **layout})


def _flat(value: dict[str, Any], above: str = "") -> dict[str, str]:
    result: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, dict) and item:
            result |= _flat(item, f"{above}{name}.")
        else:
            result[above + name] = "" if item is None else item if isinstance(item, str) else json.dumps(item)
    return result


def _parquet(path: Path) -> Sample:
    with pq.ParquetFile(path) as file:
        table = next(file.iter_batches(ROWS), None)
        fields = list(file.schema_arrow.names)
    columns = [] if table is None else [[_text(value) for value in column.to_pylist()] for column in table.columns]
    return Sample(fields, [list(row) for row in zip(*columns, strict=True)], {"kind": "parquet"})


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
