"""Makes sides of a comparison from files, with landing's readers. Every value stays text, and no type is guessed from
values. Only the encoding, the delimiter and the kind of JSON are detected. If a line does not fit the header, the file
is refused and the line is named. If the line were left out instead, nobody would notice the difference.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Literal

import duckdb

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.json_document import Elements
from ops_project.pipeline.landing.read.scan import Scan, Undecodable, scan
from ops_project.pipeline.landing.read.source import RAW, Source
from ops_project.pipeline.reconcile.sides import ReconcileError, Side, relation_side
from ops_project.sql_text import identifier, literal

DELIMITERS = ",;\t|"
TEXT = {"csv", "tsv", "txt", "psv"}
JSON = {"json", "jsonl", "ndjson"}
# The number of characters at the start of a file that show which kind of JSON it is.
HEAD = 65_536
_serial = count()


def file_side(connection: duckdb.DuckDBPyConnection, path: str | Path, delimiter: str | None = None) -> Side:
    """A side from a file or a glob of files. Several files are combined by the names of their columns, which must be
    the same. Raises ReconcileError.

    The endings are .csv, .tsv, .txt, .psv, .json, .jsonl and .ndjson (each also with .gz), and .parquet.
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
        table = f"rec_file_{next(_serial)}"
        if _kind(found) in JSON:
            columns_here = _load_json(connection, table, found)
        else:
            columns_here = _load_delimited(connection, table, found, delimiter)
        tables.append((found, table, columns_here))
    _, first, columns = tables[0]
    for found, _, names_here in tables[1:]:
        if set(names_here) != set(columns):
            differing = ", ".join(sorted(set(names_here) ^ set(columns)))
            raise ReconcileError(f"{found}: its columns differ from those of {tables[0][0].name}: {differing}")
    relation = first
    if len(tables) > 1:
        listed = ", ".join(map(identifier, columns))
        relation = "(" + " union all ".join(f"select {listed} from {table}" for _, table, _ in tables) + ")"
    return relation_side(connection, label, relation, is_file=True)


def header_and_delimiter(
    path: Path, delimiter: str | None = None, encoding: str | None = None
) -> tuple[list[str], str]:
    """The names of the columns and the delimiter of a delimited file. Raises ReconcileError.

    `encoding`: the file's encoding, if it is already known; otherwise it is detected.
    """
    with _opened(path, encoding or _encoding(path)) as text:
        first = next(text, "").lstrip("\ufeff").rstrip("\r\n")
        if not first:
            raise ReconcileError(f"{path}: empty; a header line is needed")
        outside = re.sub(r'"[^"]*"', "", first)  # A delimiter inside quotes does not separate fields.
        found = delimiter or max(DELIMITERS, key=outside.count)
        # A name in quotes may contain a line end.
        names = next(csv.reader(itertools.chain([f"{first}\n"], text), delimiter=found), [])
    return [name.strip() for name in names], found


def _kind(path: Path) -> str:
    return "".join(path.suffixes[-2:]).lower().removesuffix(".gz").rpartition(".")[2]


def _opened(path: Path, encoding: str) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, errors="replace", newline="")
    return path.open(encoding=encoding, errors="replace", newline="")


def _encoding(path: Path) -> str:
    """UTF-16 if the file begins with the byte order mark of UTF-16. Otherwise the first of UTF-8, cp1252 and latin-1
    with which the file can be decoded.
    """
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


def _load_delimited(connection: duckdb.DuckDBPyConnection, table: str, path: Path, delimiter: str | None) -> list[str]:
    encoding = _encoding(path)
    names, found = header_and_delimiter(path, delimiter, encoding)
    _check_names(names, f"{path}: line 1: column")
    with _scanned(path, Format(encoding=encoding, delimiter=found)) as (scanned, layout):
        source = Source(scanned, layout, names, first=1)
        if not _load_fast(connection, table, source):
            _load_exact(connection, table, source, path)
    return names


def _load_fast(connection: duckdb.DuckDBPyConnection, table: str, source: Source) -> bool:
    """Read the rows with landing's fast reader. Returns whether its result is used. As in landing, the result is used
    only if it has as many records as the scan has counted.
    """
    if not source.scan.plain:
        return False
    try:
        _create(connection, table, source)
        found = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
        if found == source.count_fast() and not source.hides_fields(connection):
            return True
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        pass
    connection.execute(f"drop table if exists {table}")
    return False


def _load_exact(connection: duckdb.DuckDBPyConnection, table: str, source: Source, path: Path) -> None:
    """Read the rows with landing's exact reader. Raises ReconcileError with the line if a record cannot become a
    row.
    """
    source.materialise_exact(connection)
    try:
        if source.problems:
            line, problem = connection.execute(
                f"select _line, _problem from {RAW} where _problem is not null order by _ord limit 1"
            ).fetchall()[0]
            problem = problem.replace("the file's structure has", "the header has")
            what = "a value is not text: " if problem.startswith("holds \\u") else ""
            raise ReconcileError(f"{path}: {_place(source.format)} {line}: {what}{problem}")
        _create(connection, table, source)
    finally:
        connection.execute(f"drop table {RAW}")


def _create(connection: duckdb.DuckDBPyConnection, table: str, source: Source) -> None:
    columns = ", ".join(f"_r{index} as {identifier(name)}" for index, name in enumerate(source.fields))
    connection.execute(f"create temp table {table} as select {columns} from {source.relation}")


def _check_names(names: Sequence[str], what: str) -> None:
    """Raises ReconcileError if a name is empty or occurs twice. Two names are also the same if they differ only in
    upper and lower case.
    """
    if "" in names:
        raise ReconcileError(f"{what} {names.index('') + 1} has no name")
    folded = [name.casefold() for name in names]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ReconcileError(f"{what} {', '.join(map(repr, doubled))} stands twice")
    if alike := [name for name, plain in zip(names, folded, strict=True) if folded.count(plain) > 1]:
        raise ReconcileError(f"{what} {', '.join(map(repr, alike))}: the names differ only in upper and lower case")


@contextmanager
def _scanned(path: Path, layout: Format) -> Iterator[tuple[Scan, Format]]:
    """The file, scanned as in landing. Raises ReconcileError if landing could not read the file."""
    with tempfile.TemporaryDirectory(prefix="reconcile-") as folder:
        try:
            scanned = scan(path, layout, Path(folder) / "text")
            if scanned.error is not None:
                raise ReconcileError(f"{path}: {scanned.error}")
            yield scanned, layout
        except (Undecodable, OSError) as error:
            raise ReconcileError(f"{path}: cannot be read: {error}") from None


def _load_json(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> list[str]:
    encoding = _encoding(path)
    with _scanned(path, Format(kind=_json_kind(path, encoding), encoding=encoding)) as (scanned, layout):
        names = _json_names(scanned, layout, path)
        _check_names(names, f"{path}: key")
        _load_exact(connection, table, Source(scanned, layout, names, first=0), path)
    return names


def _json_kind(path: Path, encoding: str) -> Literal["json", "jsonl"]:
    """`json` if the file is one document, `jsonl` if each line is a document. A list whose first element is not an
    object is read as `jsonl`, which reports it as a bad line.
    """
    with _opened(path, encoding) as text:
        head = text.read(HEAD).lstrip("\ufeff \t\r\n")
    if head[:1] == "[":
        return "json" if head[1:].lstrip()[:1] in ("{", "]", "") else "jsonl"
    if _kind(path) != "json" or "\n" not in head.rstrip():
        return "jsonl"
    try:
        json.loads(head.split("\n", 1)[0])
    except (ValueError, RecursionError):
        return "json"
    return "jsonl"


def _json_names(scanned: Scan, layout: Format, path: Path) -> list[str]:
    """The names of the columns: every key of any record, in the order in which the keys first occur."""
    names: dict[str, None] = {}
    with scanned.text.open(encoding="utf-8", newline="") as text:
        texts = enumerate(Elements(text, layout) if layout.kind == "json" else text, start=1)
        for number, record in texts:
            if not record.strip():
                continue
            try:
                item = json.loads(record)
            except (ValueError, RecursionError) as error:
                raise ReconcileError(f"{path}: {_place(layout)} {number}: not JSON: {error}") from None
            if not isinstance(item, dict):
                raise ReconcileError(f"{path}: {_place(layout)} {number}: not a JSON object")
            names.update(dict.fromkeys(item))
    if not names:
        raise ReconcileError(f"{path}: empty; at least one JSON object is needed")
    return list(names)


def _place(layout: Format) -> str:
    return "line" if layout.has_lines else "record"
