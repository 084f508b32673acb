"""Files as sides, read by landing's exact reader: nothing is sniffed from values, and every value stays text.

Only the dialect is found out, from the header: encoding, delimiter, quotes. A file with a line that does not fit its
header is refused with the line, because what is left out of a comparison would be a difference that nobody sees.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import records
from ops_project.pipeline.landing.read.scan import Undecodable, scan
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, relation_side
from ops_project.sql_text import identifier, literal

DELIMITERS = ",;\t|"
TEXT = {"csv", "tsv", "txt", "psv"}
JSON = {"json", "jsonl", "ndjson"}
PORTION = 50_000
_serial = count()


def file_side(connection: duckdb.DuckDBPyConnection, path: str | Path, delimiter: str | None = None) -> Side:
    """A side from a file or a glob of files: .csv, .tsv, .txt, .psv, .json, .jsonl, .ndjson (also .gz), .parquet.

    Several files are put together by the names of their columns, which must be the same. Raises ReconcileError.
    """
    text = str(path)
    paths = sorted(Path(text).parent.glob(Path(text).name)) if any(c in text for c in "*?[") else [Path(text)]
    if not paths or not all(found.is_file() for found in paths):
        raise ReconcileError(f"{text}: no such file")
    label = Path(text).name
    kinds = {_kind(found) for found in paths}
    if kinds == {"parquet"}:
        names = "[" + ", ".join(literal(str(found)) for found in paths) + "]"
        return relation_side(connection, label, f"read_parquet({names}, union_by_name = true)")
    if strangers := sorted(kinds - TEXT - JSON):
        raise ReconcileError(
            f"{text}: {', '.join(strangers) or 'this'} is not a kind of file that is read; valid: csv, tsv, txt, psv, "
            "parquet, json, jsonl"
        )
    tables: list[tuple[Path, str, list[str]]] = []
    for found in paths:
        names_of, rows = _json(found) if _kind(found) in JSON else _delimited(found, delimiter)
        table = f"rec_file_{next(_serial)}"
        _fill(connection, table, names_of, rows, found)
        tables.append((found, table, names_of))
    _, first, columns = tables[0]
    for found, _, names_here in tables[1:]:
        if set(names_here) != set(columns):
            differing = ", ".join(sorted(set(names_here) ^ set(columns)))
            raise ReconcileError(f"{found}: other columns than {tables[0][0].name}: {differing}")
    relation = first
    if len(tables) > 1:
        listed = ", ".join(map(identifier, columns))
        relation = "(" + " union all ".join(f"select {listed} from {table}" for _, table, _ in tables) + ")"
    return relation_side(connection, label, relation, is_file=True)


def header_and_delimiter(path: Path, delimiter: str | None = None) -> tuple[list[str], str]:
    """Names of the columns and the delimiter of a delimited file. Raises ReconcileError."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding=_encoding(path), errors="replace", newline="") as handle:
        first = "".join(itertools.islice(handle, 1)).lstrip("\ufeff").rstrip("\r\n")
    if not first:
        raise ReconcileError(f"{path}: empty; a header line is needed")
    outside = re.sub(r'"[^"]*"', "", first)  # a delimiter inside quotes separates nothing
    found = delimiter or max(DELIMITERS, key=outside.count)
    return [name.strip() for name in next(csv.reader([first], delimiter=found), [])], found


def _kind(path: Path) -> str:
    return "".join(path.suffixes[-2:]).lower().removesuffix(".gz").rpartition(".")[2]


def _encoding(path: Path) -> str:
    """UTF-8 where the bytes are; else what Windows writes, and latin-1 where not even that fits."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as handle:
            if handle.read(2) in (b"\xff\xfe", b"\xfe\xff"):
                return "utf-16"
    except (OSError, EOFError) as error:
        raise ReconcileError(f"{path}: cannot be read: {error}") from None
    for encoding in ("utf-8", "cp1252"):
        try:
            with opener(path, "rt", encoding=encoding, newline="") as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError) as error:
            raise ReconcileError(f"{path}: cannot be read: {error}") from None
        return encoding
    return "latin-1"


def _delimited(path: Path, delimiter: str | None) -> tuple[list[str], Iterator[tuple[int, list[str | None]]]]:
    names, found = header_and_delimiter(path, delimiter)
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ReconcileError(f"{path}: line 1: column {', '.join(map(repr, doubled))} stands twice")
    if "" in names:
        raise ReconcileError(f"{path}: line 1: column {names.index('') + 1} has no name")
    return names, _csv_rows(path, Format(encoding=_encoding(path), delimiter=found), names)


def _csv_rows(path: Path, layout: Format, names: list[str]) -> Iterator[tuple[int, list[str | None]]]:
    with tempfile.TemporaryDirectory(prefix="reconcile-") as folder:
        try:
            scanned = scan(path, layout, Path(folder) / "text")
            if scanned.error is not None:
                raise ReconcileError(f"{path}: {scanned.error}")
            rows = records.read_csv(scanned.text, layout, scanned.newline)
            next(rows, None)
            for record in rows:
                if record.fields is None:
                    raise ReconcileError(f"{path}: line {record.line}: {record.problem}")
                if len(record.fields) != len(names):
                    raise ReconcileError(
                        f"{path}: line {record.line}: has {len(record.fields)} fields, the header has {len(names)}"
                    )
                yield record.line, [value or None for value in record.fields]
        except Undecodable as error:
            raise ReconcileError(f"{path}: {error}") from None


def _json(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str | None]]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding=_encoding(path), newline="") as handle:
        text = handle.read().lstrip("\ufeff")
    found: list[tuple[int, Any]] = []
    if text.lstrip()[:1] == "[":
        found = list(enumerate(_decoded(path, 1, text), start=1))
    else:
        found = [(n, _decoded(path, n, line)) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    for line, item in found:
        if not isinstance(item, dict):
            raise ReconcileError(f"{path}: line {line}: not a JSON object")
    if not found:
        raise ReconcileError(f"{path}: empty; at least one JSON object is needed")
    names = list(dict.fromkeys(name for _, item in found for name in item))
    return names, ((line, [_text(item.get(name)) for name in names]) for line, item in found)


class _Number(str):
    """A JSON number as it was written: thirty digits stay thirty digits."""


def _decoded(path: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError) as error:
        raise ReconcileError(f"{path}: line {line}: not JSON: {error}") from None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    names: list[str],
    rows: Iterator[tuple[int, list[str | None]]],
    path: Path,
) -> None:
    connection.execute(f"create temp table {table} ({', '.join(f'{identifier(name)} varchar' for name in names)})")
    while portion := list(itertools.islice(rows, PORTION)):
        columns = zip(*(fields for _, fields in portion), strict=True)
        try:
            arrow = pa.table(
                [pa.array(column, pa.string()) for column in columns], names=[f"c{i}" for i, _ in enumerate(names)]
            )
        except (pa.ArrowException, UnicodeEncodeError) as error:
            raise ReconcileError(f"{path}: a value is no text: {error}") from None
        connection.register("rec_portion", arrow)
        connection.execute(f"insert into {table} select * from rec_portion")
        connection.unregister("rec_portion")
