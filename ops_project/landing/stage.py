"""Raw text to typed rows: one SQL statement cast, checked and filtered, and one that says why a row was refused.

The staged table has the contract's columns and `_state` (0 good, 1 filtered, 2 refused). Which rows are refused and why
comes from the same list of checks, so the two cannot disagree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from ops_project.landing import casts
from ops_project.landing.source import PORTION, Source, append, problem_of
from ops_project.landing.sql import identifier, literal
from ops_project.model.column import Column
from ops_project.model.feed import Contract, Feed

STAGED, REFUSED, BAD, REPEATED = "landing_staged", "landing_refused", "landing_bad", "landing_repeated"
GOOD_STATE, FILTERED_STATE, BAD_STATE = 0, 1, 2
SHOWN_VALUE = 80
MASK = "***"


@dataclass(frozen=True)
class ColumnCheck:
    """A check of a column, or of the row where it is None."""

    column: str | None
    check: casts.Check


class Stage:
    """The statements for one file."""

    def __init__(self, feed: Feed, contract: Contract, source: Source, file_name: str, file_date: date) -> None:
        self.feed, self.contract, self.source = feed, contract, source
        self.file_name, self.file_date = file_name, file_date
        self.positions = {name.strip(): index for index, name in reversed(list(enumerate(source.fields)))}
        self.date_column = None if feed.business_date == "file" else feed.business_date
        self.guarded = False
        """True: expressions of the contract may fail on a row, and that row alone is refused (see `guard`)."""

    @property
    def checks(self) -> list[ColumnCheck]:
        """Everything that can be wrong with a row."""
        found = [*self._row_checks(), *(check for name in self.contract.columns for check in self._column_checks(name))]
        for name, sql in self.feed.rules.items():
            broken = f"TRY(coalesce(({sql}\n), true)) IS NOT TRUE" if self.guarded else f"NOT ({sql}\n)"
            found.append(ColumnCheck(None, casts.Check(f"breaks the rule {name}", broken)))
        return found

    @property
    def has_expressions(self) -> bool:
        """True where the contract holds SQL that can fail on a value."""
        written = [column.expression for column in self.contract.columns.values()]
        return bool(self.feed.filter or self.feed.rules or any(text is not None for text in written))

    @contextmanager
    def guard(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Inside, an expression that fails refuses its row.

        TRY does that, but in 1.5.5 the optimizer lifts what two TRYs share out of both, where it fails for all rows;
        so it is switched off, which costs the casts their shared work: done only where the plain statement has failed.
        """
        before, self.guarded = self.guarded, True
        [(disabled,)] = connection.execute("SELECT current_setting('disabled_optimizers')").fetchall()
        connection.execute("SET disabled_optimizers = 'common_subexpressions'")
        try:
            yield
        finally:
            self.guarded = before
            connection.execute(f"SET disabled_optimizers = '{disabled}'")

    @property
    def needs_line(self) -> bool:
        """True where an expression reads the line number, which only a table in memory has."""
        texts = [self.feed.filter or "", *(column.expression or "" for column in self.contract.columns.values())]
        return any(re.search(r"\b_line\b", text) for text in texts)

    def _row_checks(self) -> list[ColumnCheck]:
        if self.feed.filter is None or not self.guarded:
            return []
        return [ColumnCheck(None, casts.Check("filter cannot be computed", "_filter_failed"))]

    def _column_checks(self, name: str) -> list[ColumnCheck]:
        column = self.contract.columns[name]
        required = column.required or name in self.feed.key or name == self.date_column
        found = []
        if column.expression is not None and self.guarded:
            found.append(casts.Check("its expression cannot be computed", f"_failed_{self._nth(name)}"))
        nulls = column.null_values if column.null_values is not None else self.contract.format.null_values
        found += casts.checks(f"_t{self._nth(name)}", identifier(name), column, required, "" in nulls)
        return [ColumnCheck(name, check) for check in found]

    def _nth(self, name: str) -> int:
        return list(self.contract.columns).index(name)

    def _raw(self, name: str, column: Column) -> tuple[str, bool]:
        """SQL of the raw text, and whether its NULL is an empty field."""
        if column.expression is not None:
            return f"_e{self._nth(name)}", False
        position = self.positions.get((column.source if column.source is not None else name).strip())
        if position is None:
            return "NULL::VARCHAR", False
        return f"_r{position}", self.source.format.kind == "csv"

    def typed(self, relation: str, carried: str) -> str:
        """SELECT of `carried` columns, `_t<i>` texts and typed columns over raw rows."""
        columns, file_format = self.contract.columns, self.contract.format
        named, computed = "", ""
        expressions = {name: column.expression for name, column in columns.items() if column.expression is not None}
        if expressions or self.feed.filter is not None:
            # Fields whose names differ only in case cannot both be named in SQL: the first one is.
            seen: set[str] = set()
            for index, name in enumerate(self.source.fields):
                if (
                    name.strip()
                    and name.strip().lower() not in seen
                    and not re.fullmatch(r"_[rte]\d+", name.strip().lower())
                ):
                    seen.add(name.strip().lower())
                    named += f", _r{index} AS {identifier(name.strip())}"
            named += f", {literal(self.file_name)} AS _file_name, DATE '{self.file_date}' AS _file_date"
        for name, sql in expressions.items():
            nth = self._nth(name)
            if self.guarded:
                computed += f", TRY(CAST(({sql}\n) AS VARCHAR)) AS _e{nth}"
                computed += f", TRY(({sql}\n) IS NULL) IS NULL AS _failed_{nth}"
            else:
                computed += f", CAST(({sql}\n) AS VARCHAR) AS _e{nth}"
        if self.feed.filter is not None and self.guarded:
            computed += (
                f", coalesce(TRY((({self.feed.filter}\n))::BOOLEAN), false) AS _kept"
                f", TRY((({self.feed.filter}\n)) IS NULL) IS NULL AS _filter_failed"
            )
        elif self.feed.filter is not None:
            computed += f", coalesce((({self.feed.filter}\n))::BOOLEAN, false) AS _kept"
        texts = []
        for name, column in columns.items():
            raw, written = self._raw(name, column)
            texts.append(f"{casts.text_of(raw, column, file_format, written)} AS _t{self._nth(name)}")
        values = [
            f"{casts.typed(f'_t{self._nth(name)}', column, file_format)} AS {identifier(name)}"
            for name, column in columns.items()
        ]
        raws = "".join(f", _r{index}" for index in range(len(self.source.fields)))
        flags = "".join(f", _failed_{self._nth(name)}" for name in expressions) if self.guarded else ""
        if self.feed.filter is not None:
            flags += ", _kept, _filter_failed" if self.guarded else ", _kept"
        inner = f"SELECT {carried}{raws}{named} FROM {relation}".replace("SELECT , ", "SELECT ")
        middle = f"SELECT *{computed} FROM ({inner})" if computed else inner
        lead = f"{carried}, " if carried else ""
        texted = f"SELECT {lead}{', '.join(texts)}{flags} FROM ({middle})"
        tnames = ", ".join(f"_t{self._nth(name)}" for name in columns)
        return f"SELECT {lead}{tnames}{flags}, {', '.join(values)} FROM ({texted})"

    def stage(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Fill the staged table."""
        try:
            self._stage(connection)
        except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException):
            if not self.has_expressions:
                raise
            with self.guard(connection):
                self._stage(connection)

    def _stage(self, connection: duckdb.DuckDBPyConnection) -> None:
        carried = "_ord, _line" if self.source.materialised else ""
        bad = " OR ".join(f"({item.check.predicate})" for item in self.checks) or "false"
        state = f"WHEN {bad} THEN {BAD_STATE} ELSE {GOOD_STATE} END"
        if self.feed.filter is not None:
            state = f"WHEN NOT _kept THEN {FILTERED_STATE} {state}"
            if self.guarded:
                state = f"WHEN _filter_failed THEN {BAD_STATE} {state}"
        columns = ", ".join(map(identifier, self.contract.columns))
        lead = f"{carried}, " if carried else ""
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {STAGED} AS "
            f"SELECT {lead}{columns}, (CASE {state})::UTINYINT AS _state "
            f"FROM ({self.typed(self.source.relation, carried)})"
        )

    @property
    def ordinal(self) -> str:
        """SQL of a staged row's ordinal. A temporary table's rowid counts its rows in the order of the file."""
        return "_ord" if self.source.materialised else "rowid"

    @property
    def line(self) -> str:
        """SQL of a staged row's physical line."""
        return "_line" if self.source.materialised else f"(rowid + {self.source.first + 1})"

    @property
    def business_date(self) -> str:
        """SQL of a staged row's business date."""
        if self.date_column is None:
            return f"DATE '{self.file_date}'"
        column = self.contract.columns[self.date_column]
        name = identifier(self.date_column)
        if column.base_type == "timestamp" and column.timezone not in (None, "UTC"):
            assert column.timezone is not None
            return f"CAST(timezone({literal(column.timezone)}, timezone('UTC', {name})) AS DATE)"
        return f"CAST({name} AS DATE)"

    def cast_failures(self, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        """Column → values that fail their cast, and values in all; only columns of which any fails."""
        if not self.has_expressions:
            return self._cast_failures(connection)
        with self.guard(connection):
            return self._cast_failures(connection)

    def _cast_failures(self, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        casted = {item.column: item.check for item in self.checks if item.check.is_cast and item.column is not None}
        if not casted:
            return {}
        kept = "coalesce(_kept, false)" if self.feed.filter is not None else "true"
        counts = ", ".join(
            f"count(*) FILTER ({kept} AND {check.predicate}), "
            f"count({identifier(name)}) FILTER ({kept}) + count(*) FILTER ({kept} AND {check.predicate})"
            for name, check in casted.items()
        )
        carried = "_ord, _line" if self.source.materialised else ""
        found = connection.execute(f"SELECT {counts} FROM ({self.typed(self.source.relation, carried)})").fetchone()
        assert found is not None
        pairs = zip(casted, zip(found[::2], found[1::2], strict=True), strict=True)
        return {name: pair for name, pair in pairs if pair[0]}

    def explained_cast_failures(self, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        """The same from the explained rows, without reading the file again."""
        reasons = {
            item.column: item.check.reason for item in self.checks if item.check.is_cast and item.column is not None
        }
        failed = connection.execute(
            f"""
            SELECT json_extract_string(item, '$.column') AS name, json_extract_string(item, '$.reason'), count(*)
            FROM (SELECT unnest(json_extract(reasons, '$[*]')) AS item FROM {REFUSED}) GROUP BY ALL
            """
        ).fetchall()
        counts = {name: count for name, reason, count in failed if reasons.get(name) == reason}
        if not counts:
            return {}
        listed = ", ".join(f"count({identifier(name)})" for name in counts)
        values = connection.execute(f"SELECT {listed} FROM {STAGED} WHERE _state <> {FILTERED_STATE}").fetchone()
        assert values is not None
        return {name: (count, count + good) for (name, count), good in zip(counts.items(), values, strict=True)}

    def repeated_keys(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Fill the table of rows whose key has been there before (`_ord`, `_first` line); the number of such rows."""
        key = ", ".join(map(identifier, self.feed.key))
        counted = connection.execute(
            f"SELECT count(*), count(DISTINCT hash({key})) FROM {STAGED} WHERE _state = {GOOD_STATE}"
        ).fetchone()
        assert counted is not None
        if counted[0] == counted[1]:  # as many hashes as rows: no key twice. The reverse proves nothing, so:
            return 0
        keep = self.feed.keep_first
        order = ", ".join([*(keep.order if keep is not None else ()), "_o"])
        extra = (
            "" if keep is not None or self.feed.duplicate_keys == "later" else "OR count(*) OVER (PARTITION BY _k) > 1"
        )
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE {REPEATED} AS
            SELECT _o AS _ord, first_value(_l) OVER (PARTITION BY _k ORDER BY {order}) AS _first
            FROM (
                SELECT *, {self.ordinal} AS _o, {self.line} AS _l, row({key}) AS _k
                FROM {STAGED} WHERE _state = {GOOD_STATE}
            )
            QUALIFY row_number() OVER (PARTITION BY _k ORDER BY {order}) > 1 {extra}
            """
        )
        found = connection.execute(f"SELECT count(*) FROM {REPEATED}").fetchone()
        assert found is not None
        return int(found[0])

    def repeated_samples(self, connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[dict[str, object]]:
        """A few of the repeated keys with their lines; values of personal columns are masked."""
        personal = self.feed.personal_columns()
        shown = ", ".join(
            literal(MASK) if name in personal else f"left({identifier(name)}::VARCHAR, {SHOWN_VALUE})"
            for name in self.feed.key
        )
        rows = connection.execute(
            f"""
            SELECT line, _first, * EXCLUDE (nth, line, _ord, _first)
            FROM (SELECT {self.ordinal} AS nth, {self.line} AS line, {shown} FROM {STAGED})
            JOIN (SELECT * FROM {REPEATED} ORDER BY _ord LIMIT {limit}) ON _ord = nth ORDER BY line
            """
        ).fetchall()
        return [
            {"line": row[0], "first_line": row[1], "key": dict(zip(self.feed.key, row[2:], strict=True))}
            for row in rows
        ]

    def explain(self, connection: duckdb.DuckDBPyConnection, repeated: bool) -> None:
        """Fill the table of refused rows: `_ord`, line, raw_text, column_name, reason, reasons (JSON)."""
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {REFUSED} "
            "(_ord BIGINT, line BIGINT, raw_text VARCHAR, column_name VARCHAR, reason VARCHAR, reasons JSON)"
        )
        ordinals = self._refused_ordinals(connection, repeated)
        width = len(self.source.fields)
        portion: list[tuple[int, int, str, str | None, list[str | None]]] = []
        for ordinal, record in self.source.picked(connection, ordinals):
            problem = problem_of(record, width)
            fields = list(record.fields) if problem is None and record.fields is not None else [None] * width
            portion.append((ordinal, record.line, record.text, problem, fields))
            if len(portion) == PORTION:
                self._explain(connection, portion)
                portion = []
        if portion:
            self._explain(connection, portion)
        if repeated:
            key = ", ".join(self.feed.key)
            entry = (
                f"json_object('column', {literal(key)}, 'reason', 'repeats the key of line ' || _first)"
                if self.feed.duplicate_keys == "later"
                else f"json_object('column', {literal(key)}, 'reason', 'shares its key with line ' || _first)"
            )
            connection.execute(
                f"""
                UPDATE {REFUSED} SET column_name = {literal(key)}, reasons = json_array({entry}),
                    reason = {literal(key + ": ")} || json_extract_string({entry}, '$.reason')
                FROM {REPEATED} WHERE {REPEATED}._ord = {REFUSED}._ord
                """
            )

    def _refused_ordinals(self, connection: duckdb.DuckDBPyConnection, repeated: bool) -> list[int]:
        parts = [f"SELECT {self.ordinal} AS o FROM {STAGED} WHERE _state = {BAD_STATE}"]
        if repeated:
            parts.append(f"SELECT _ord FROM {REPEATED}")
        if self.source.problems:
            parts.append("SELECT _ord FROM landing_raw WHERE _problem IS NOT NULL")
        return [row[0] for row in connection.execute(f"{' UNION '.join(parts)} ORDER BY 1").fetchall()]

    def _explain(
        self, connection: duckdb.DuckDBPyConnection, portion: list[tuple[int, int, str, str | None, list[str | None]]]
    ) -> None:
        width = len(self.source.fields)
        data = {
            "_ord": pa.array([item[0] for item in portion], pa.int64()),
            "_line": pa.array([item[1] for item in portion], pa.int64()),
            "_text": pa.array([item[2] for item in portion], pa.string()),
            "_problem": pa.array([item[3] for item in portion], pa.string()),
        }
        for index in range(width):
            data[f"_r{index}"] = pa.array([item[4][index] for item in portion], pa.string())
        columns = ", ".join(f"_r{index} VARCHAR" for index in range(width))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {BAD} "
            f"(_ord BIGINT, _line BIGINT, _text VARCHAR, _problem VARCHAR, {columns})"
        )
        append(connection, BAD, pa.table(data), empty_is_null=self.source.format.kind == "csv")
        with self.guard(connection):
            self._write_reasons(connection)

    def _write_reasons(self, connection: duckdb.DuckDBPyConnection) -> None:
        personal = self.feed.personal_columns()
        cases = []
        for item in self.checks:
            shown = "NULL"
            if item.column is not None:
                shown = f"left(_t{self._nth(item.column)}, {SHOWN_VALUE})"
                if item.column in personal:
                    shown = f"CASE WHEN _t{self._nth(item.column)} IS NOT NULL THEN '{MASK}' END"
            name = "NULL" if item.column is None else literal(item.column)
            cases.append(
                f"CASE WHEN _problem IS NULL AND ({item.check.predicate}) THEN "
                f"{{'column': {name}::VARCHAR, 'reason': {literal(item.check.reason)}, 'value': {shown}::VARCHAR}} END"
            )
        nothing = "{'column': NULL::VARCHAR, 'reason': _problem, 'value': NULL::VARCHAR}"
        problem = f"CASE WHEN _problem IS NOT NULL THEN {nothing} END"
        listed = f"list_filter([{', '.join([problem, *cases])}], item -> item IS NOT NULL)"
        connection.execute(
            f"""
            INSERT INTO {REFUSED}
            SELECT _ord, _line, _text, _why[1].column,
                   concat_ws(' ', _why[1].column || ':', '''' || _why[1].value || '''', _why[1].reason), to_json(_why)
            FROM (SELECT _ord, _line, _text, {listed} AS _why FROM ({self.typed(BAD, "_ord, _line, _text, _problem")}))
            """
        )


def reasons_summary(connection: duckdb.DuckDBPyConnection, limit: int = 20) -> list[dict[str, object]]:
    """How many rows were refused for what, most frequent first."""
    rows = connection.execute(
        f"""
        SELECT json_extract_string(item, '$.column'), json_extract_string(item, '$.reason') AS why, count(*), min(line)
        FROM (SELECT unnest(json_extract(reasons, '$[*]')) AS item, line FROM {REFUSED})
        GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {limit}
        """
    ).fetchall()
    return [{"column": row[0], "reason": row[1], "rows": row[2], "first_line": row[3]} for row in rows]


def masked_samples(connection: duckdb.DuckDBPyConnection, limit: int = 5) -> list[dict[str, object]]:
    """A few refused rows with their reasons; values of personal columns are masked already."""
    rows = connection.execute(f"SELECT line, reasons FROM {REFUSED} ORDER BY line LIMIT {limit}").fetchall()
    return [{"line": row[0], "reasons": json.loads(row[1])} for row in rows]
