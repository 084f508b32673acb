"""Reads a scanned file into a table of raw text fields. The fast reader is used if it can be trusted, and the exact
reader otherwise.

The fast reader is DuckDB's. It gets the name of every column and detects nothing. Its result is used only if it has
exactly the number of records that the scan has counted. Both readers give the same rows, and the tests compare them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read import records
from ops_project.pipeline.landing.read.json_records import read_json_document, read_json_lines
from ops_project.pipeline.landing.read.line_counter import CHUNK
from ops_project.pipeline.landing.read.parquet import read_parquet
from ops_project.pipeline.landing.read.records import Record
from ops_project.pipeline.landing.read.scan import Scan
from ops_project.sql_text import literal, path_literal

RAW = "landing_raw"
# The exact reader passes this many rows to DuckDB at once, about 10 MB.
PORTION = 50_000


@dataclass
class Source:
    """The raw fields of one file. `fields[i]` is the name of the field in raw column `_r<i>`."""

    scan: Scan
    format: Format
    fields: list[str]
    first: int
    """The number of physical lines before the first record, if each record is a line."""
    trailer: Callable[[str], bool] | None = None
    fast: bool = False
    materialised: bool = False
    """True if the rows are in table `landing_raw`, with `_ord`, `_line` and `_problem`."""
    records: int = 0
    problems: int = 0
    """The number of records that cannot be read, or that have another number of fields than the file's structure."""
    seen: set[str] = field(default_factory=set)
    """The keys that occur in JSON objects."""

    @property
    def spelled(self) -> bool:
        """Whether each raw column `_r<i>` has a second column `_s<i>`. It holds the field as it was before its escapes
        were undone.
        """
        return self.format.acting_escape is not None

    @property
    def raw_columns(self) -> list[str]:
        """Names of the raw columns."""
        names = [f"_r{index}" for index in range(len(self.fields))]
        return names + [f"_s{index}" for index in range(len(self.fields))] if self.spelled else names

    @property
    def relation(self) -> str:
        """SQL of a relation with the raw columns, to be written after FROM."""
        if self.materialised:
            return f"(SELECT * FROM {RAW} WHERE _problem IS NULL)"
        return f"(SELECT *{self._nothing_escaped} FROM {self._reader()})" if self.spelled else self._reader()

    @property
    def _nothing_escaped(self) -> str:
        # The fast reader is never used for a file that contains the escape character.
        return "".join(f", NULL::VARCHAR AS {name}" for name in self.raw_columns if name.startswith("_s"))

    def _reader(self) -> str:
        columns = ", ".join(f"'_r{index}': 'VARCHAR'" for index in range(len(self.fields)))
        is_csv = self.format.kind == "csv"
        quote = (self.format.quote or "") if is_csv else ""
        # The option `new_line` is left out: with `'\r\n'`, DuckDB 1.5.5 reads a CRLF file as empty. Without the option,
        # both line ends work. The names of the fields are given, so DuckDB detects nothing.
        return (
            f"read_csv({path_literal(self.scan.text)}, auto_detect=false, header=false, skip={self.first}, "
            f"delim={literal(self.format.delimiter if is_csv else chr(1))}, quote={literal(quote)}, "
            f"escape={literal(self.format.acting_escape or quote)}, nullstr='', columns={{{columns}}}, "
            "strict_mode=true, null_padding=false, ignore_errors=false, parallel=true)"
        )

    def all_records(self) -> Iterator[Record]:
        """Every record by the exact reader, without the header and the trailer."""
        text, newline = self.scan.text, self.scan.newline
        if self.format.kind == "csv":
            rows = records.read_csv(text, self.format, newline)
            if self.format.header:
                next(rows, None)
        elif self.format.kind == "lines":
            rows = records.read_lines(text, self.format, newline)
        else:
            rows = self._json()
        return _without_trailer(rows, self.trailer) if self.trailer is not None else rows

    def _json(self) -> Iterator[Record]:
        if self.format.kind == "json":
            return read_json_document(self.scan.text, self.format, self.fields, self.seen)
        return read_json_lines(self.scan.text, self.format, self.scan.newline, self.fields, self.seen)

    def count_fast(self) -> int:
        """The number of records that the scan has counted. It is valid only if each record is a line."""
        return max(self.scan.lines - self.first, 0)

    def hides_fields(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """True if the fast reader has left out empty fields at the end of a line. It reads `1,2,` as two fields.

        The fast reader refuses a line with too few fields. So if the file has exactly as many delimiters as its fields
        need, no line has more. If the file has more delimiters, some may stand inside quotes. Then the lines that end
        with a delimiter are examined.
        """
        needed = len(self.fields) - 1
        if self.format.kind != "csv" or self.scan.delimiters == needed * (self.scan.lines - self.format.skip_lines):
            return False
        delimiter, quote, bare = literal(self.format.delimiter), self.format.quote or "", "line"
        quoted = literal(f"{self.format.delimiter}{quote}{quote}")
        if quote:
            mark = re.escape(quote)
            bare = f"regexp_replace(line, {literal(f'{mark}[^{mark}]*{mark}')}, '', 'g')"
        found = connection.execute(
            f"""
            SELECT count(*) FROM (
                SELECT {bare} AS bare FROM read_csv({path_literal(self.scan.text)}, auto_detect=false, header=false,
                    skip={self.first}, delim=chr(1), quote='', escape='', columns={{'line': 'VARCHAR'}})
                WHERE ends_with(line, {delimiter}) OR ends_with(line, {quoted})
            ) WHERE length(bare) - length(replace(bare, {delimiter}, '')) > {needed}
            """
        ).fetchone()
        return found is None or found[0] > 0

    def materialise_fast(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Store the fast reader's rows as a table. This is needed if an expression reads `_line`."""
        columns = ", ".join(f"_r{index}" for index in range(len(self.fields)))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE landing_text AS SELECT {columns} FROM {self._reader()}")
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE {RAW} AS
            SELECT rowid AS _ord, rowid + {self.first + 1} AS _line, NULL::VARCHAR AS _problem, *{self._nothing_escaped}
            FROM landing_text
            """
        )
        connection.execute("DROP TABLE landing_text")
        found = connection.execute(f"SELECT count(*) FROM {RAW}").fetchone()
        assert found is not None
        self.records, self.materialised = found[0], True

    def materialise_exact(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Store the exact reader's rows as a table."""
        width = len(self.fields)
        names = self.raw_columns
        columns = ", ".join(["_ord BIGINT", "_line BIGINT", "_problem VARCHAR", *(f"{name} VARCHAR" for name in names)])
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {RAW} ({columns})")
        rows, ordinal, self.problems = self.all_records(), 0, 0
        while portion := list(itertools.islice(rows, PORTION)):
            problems = [problem_of(record, width) for record in portion]
            fields = [self.raw_values(*pair) for pair in zip(portion, problems, strict=True)]
            table = pa.table(
                {
                    "_ord": pa.array(range(ordinal, ordinal + len(portion)), pa.int64()),
                    "_line": pa.array([record.line for record in portion], pa.int64()),
                    "_problem": pa.array(problems, pa.string()),
                    **{
                        name: pa.array(column, pa.string())
                        for name, column in zip(names, zip(*fields, strict=True), strict=True)
                    },
                }
            )
            append(connection, RAW, table, empty_is_null=self.format.kind == "csv")
            ordinal += len(portion)
            self.problems += sum(problem is not None for problem in problems)
        self.records, self.materialised = ordinal, True

    def raw_values(self, record: Record, problem: str | None) -> Sequence[str | None]:
        """A record's values of the raw columns. All are None if the record has a problem."""
        if problem is not None or record.fields is None:
            return (None,) * len(self.raw_columns)
        if not self.spelled:
            return record.fields
        spelled = record.spelled or {}
        return (*record.fields, *(spelled.get(index) for index in range(len(self.fields))))

    def materialise_parquet(self, connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        """Store a Parquet file's rows as text. Raises Undecodable.

        `names`: the fields that the contract reads.
        """
        self.records, self.problems = read_parquet(connection, self.scan.text, RAW, names)
        self.materialised = True

    def picked(self, connection: duckdb.DuckDBPyConnection, ordinals: Sequence[int]) -> Iterator[tuple[int, Record]]:
        """The records with these ordinals and their raw text. The ordinals must be in ascending order."""
        if self.format.kind == "parquet":
            yield from self._picked_parquet(connection, ordinals)
        elif self.fast:
            yield from self._picked_lines(np.asarray(ordinals, np.int64))
        else:
            wanted = iter(ordinals)
            nth = next(wanted, None)
            for ordinal, record in enumerate(self.all_records()):
                if nth is None:
                    return
                if ordinal == nth:
                    yield ordinal, record
                    nth = next(wanted, None)

    def _picked_parquet(
        self, connection: duckdb.DuckDBPyConnection, ordinals: Sequence[int]
    ) -> Iterator[tuple[int, Record]]:
        for start in range(0, len(ordinals), PORTION):
            part = list(ordinals[start : start + PORTION])
            rows = connection.execute(
                f"SELECT _ord, _line, _problem, * EXCLUDE (_ord, _line, _problem) FROM {RAW} "
                "WHERE _ord IN (SELECT unnest(?::BIGINT[])) ORDER BY _ord",
                [part],
            ).fetchall()
            for ordinal, line, problem, *values in rows:
                text = json.dumps(dict(zip(self.fields, values, strict=True)), ensure_ascii=False)
                yield ordinal, Record(line, text, values if problem is None else None, problem)

    def _picked_lines(self, ordinals: np.ndarray) -> Iterator[tuple[int, Record]]:
        """The lines with these numbers, read in one pass over the bytes. Each record of the file must be one line."""
        wanted = ordinals + self.first  # These line numbers begin at 0.
        line, position, rest = 0, 0, b""
        with self.scan.text.open("rb") as file:
            while position < len(wanted):
                chunk = file.read(CHUNK)
                data = rest + (chunk or b"\n")
                if wanted[position] >= line + (here := data.count(b"\n")):
                    line, rest = line + here, data[data.rfind(b"\n") + 1 :]
                    if not chunk:
                        return
                    continue
                ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
                last = int(np.searchsorted(wanted, line + len(ends)))
                for number in wanted[position:last]:
                    nth = int(number) - line
                    start = int(ends[nth - 1]) + 1 if nth else 0
                    text = data[start : int(ends[nth])].decode("utf-8").rstrip("\r")
                    yield int(number) - self.first, self._record(int(number) + 1, text)
                position, line = last, line + len(ends)
                rest = data[int(ends[-1]) + 1 :] if len(ends) else data
                if not chunk:
                    return

    def _record(self, line: int, text: str) -> Record:
        if self.format.kind != "csv":
            return Record(line, text, (text,))
        return Record(line, text, records.split_line(text, self.format))


def problem_of(record: Record, width: int) -> str | None:
    """Why a record cannot become a row; None if the record can become a row."""
    if record.problem is not None or record.fields is None:
        return record.problem or "not readable"
    if len(record.fields) != width:
        return f"has {len(record.fields)} fields, but the file's structure has {width}"
    return None


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, empty_is_null: bool = False) -> None:
    """Append an Arrow table.

    `empty_is_null`: turn an empty raw field into NULL, as the fast reader does.
    """
    columns = [f"nullif({name}, '')" if empty_is_null and name.startswith("_r") else name for name in rows.column_names]
    connection.register("landing_portion", rows)
    try:
        connection.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM landing_portion")
    finally:
        connection.unregister("landing_portion")


def _without_trailer(rows: Iterator[Record], is_trailer: Callable[[str], bool]) -> Iterator[Record]:
    held: Record | None = None
    for record in rows:
        if held is not None:
            yield held
        held = record
    if held is not None and not is_trailer(held.text):
        yield held


def header_of(scan: Scan, file_format: Format) -> Record | None:
    """The first record of a CSV; None if the file has no record."""
    return next(records.read_csv(scan.text, file_format, scan.newline), None)
