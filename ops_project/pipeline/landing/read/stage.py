"""Raw text to typed rows: one SQL statement cast, checked and filtered, and one that says why a row was refused.

The staged table has the contract's columns and `_state` (0 good, 1 filtered, 2 refused). Which rows are refused and why
comes from the same list of checks, so the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from ops_project.model.feed.column import Column
from ops_project.model.feed.feed import Contract, Feed
from ops_project.pipeline.landing.read import casts
from ops_project.pipeline.landing.read.source import Source
from ops_project.pipeline.landing.read.sql import identifier, literal

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
            found.append(casts.Check("its expression cannot be computed", f"_failed_{self.nth(name)}"))
        nulls = column.null_values if column.null_values is not None else self.contract.format.null_values
        found += casts.checks(f"_t{self.nth(name)}", identifier(name), column, required, "" in nulls)
        return [ColumnCheck(name, check) for check in found]

    def nth(self, name: str) -> int:
        return list(self.contract.columns).index(name)

    def _raw(self, name: str, column: Column) -> tuple[str, bool]:
        """SQL of the raw text, and whether its NULL is an empty field."""
        if column.expression is not None:
            return f"_e{self.nth(name)}", False
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
            nth = self.nth(name)
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
            texts.append(f"{casts.text_of(raw, column, file_format, written)} AS _t{self.nth(name)}")
        values = [
            f"{casts.typed(f'_t{self.nth(name)}', column, file_format)} AS {identifier(name)}"
            for name, column in columns.items()
        ]
        raws = "".join(f", _r{index}" for index in range(len(self.source.fields)))
        flags = "".join(f", _failed_{self.nth(name)}" for name in expressions) if self.guarded else ""
        if self.feed.filter is not None:
            flags += ", _kept, _filter_failed" if self.guarded else ", _kept"
        inner = f"SELECT {carried}{raws}{named} FROM {relation}".replace("SELECT , ", "SELECT ")
        middle = f"SELECT *{computed} FROM ({inner})" if computed else inner
        lead = f"{carried}, " if carried else ""
        texted = f"SELECT {lead}{', '.join(texts)}{flags} FROM ({middle})"
        tnames = ", ".join(f"_t{self.nth(name)}" for name in columns)
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
