"""Turns raw text into typed rows. One SQL statement casts, checks and filters the rows. Another statement tells why a
row was refused. Both statements use the same list of checks, so they cannot disagree.

The staged table has the contract's columns by number (`_c0` …). Its column `_state` is 0 for a good row, 1 for a
filtered row and 2 for a refused row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from ops_project.model.feed.feed import Contract, Feed
from ops_project.pipeline.landing.read import casts
from ops_project.pipeline.landing.read.own_columns import own
from ops_project.pipeline.landing.read.source import Source
from ops_project.pipeline.landing.read.staged_columns import StagedColumns

STAGED, REFUSED, BAD, REPEATED = "landing_staged", "landing_refused", "landing_bad", "landing_repeated"
GOOD_STATE, FILTERED_STATE, BAD_STATE = 0, 1, 2
SHOWN_VALUE = 80
MASK = "***"


@dataclass(frozen=True)
class ColumnCheck:
    """A check of one column, or of the whole row if `column` is None."""

    column: str | None
    check: casts.Check


class Stage(StagedColumns):
    """The statements for one file."""

    def __init__(self, feed: Feed, contract: Contract, source: Source, file_name: str, file_date: date) -> None:
        super().__init__(feed, contract, source, file_name, file_date)
        self.last_date: date | None = None
        """The last plausible date. If it is None, no date is too late."""
        self.guarded = False
        """True while an expression of the contract that fails refuses only its own row (see `guard`)."""
        self.brief = False
        """True if only values in the engine's own spelling are cast. Every other row then counts as bad."""
        self.distinct_keys: int | None = None
        """The number of different hashes of keys in the good rows; None if it was not counted."""
        self.good_rows = 0
        """The number of good rows, set together with `distinct_keys`."""

    @property
    def checks(self) -> list[ColumnCheck]:
        """All checks of a row."""
        found = [*self._row_checks(), *(check for name in self.contract.columns for check in self._column_checks(name))]
        for nth, name in enumerate(self.feed.rules):
            found.append(ColumnCheck(None, casts.Check(f"breaks the rule {name}", f"_rule_{nth}")))
        return found

    @property
    def has_expressions(self) -> bool:
        """Whether the contract holds SQL that can fail on a value."""
        written = [column.expression for column in self.contract.columns.values()]
        return bool(self.feed.filter or self.feed.rules or any(text is not None for text in written))

    @contextmanager
    def guard(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Within this context, an expression that fails refuses only its own row, because the expression stands inside
        TRY.

        In DuckDB 1.5.5, one optimizer moves a common part of two TRYs out of both. If that part then fails, it fails
        for all rows. So this optimizer is switched off here. This is slow, because without the optimizer the casts
        share no work. So this context is used only after the plain statement has failed.
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
        """True if an expression reads the line number. Only a materialised table has that number."""
        texts = [self.feed.filter or "", *(column.expression or "" for column in self.contract.columns.values())]
        return any(re.search(r"\b_line\b", text) for text in texts)

    def _row_checks(self) -> list[ColumnCheck]:
        found = []
        if self.feed.filter is not None and self.guarded:
            found.append(casts.Check("filter cannot be computed", "_filter_failed"))
        if self.tells_empty_rows:
            found.append(casts.Check("has no value in any field", "_empty"))
        return [ColumnCheck(None, check) for check in found]

    def _column_checks(self, name: str) -> list[ColumnCheck]:
        column = self.contract.columns[name]
        found = []
        if column.expression is not None and self.guarded:
            found.append(casts.Check("its expression cannot be computed", f"_failed_{self.nth(name)}"))
        empty_is_null = "" in self._nulls(column)
        found += casts.checks(f"_t{self.nth(name)}", self.value(name), column, self._required(name), empty_is_null)
        if name == self.date_column or name in self.feed.plausible.columns:
            found.append(self._plausible(name))
        return [ColumnCheck(name, check) for check in found]

    def _plausible(self, name: str) -> casts.Check:
        first, last = self.feed.plausible.first, self.last_date
        day = self._local_date(name)
        if last is None:
            return casts.Check(f"is before {first}, the first plausible date", f"{day} < DATE '{first}'")
        return casts.Check(
            f"is not between {first} and {last}, the plausible dates",
            f"{day} NOT BETWEEN DATE '{first}' AND DATE '{last}'",
        )

    def _computed(self) -> list[str]:
        """The results of the contract's expressions and of its filter, under names of landing's own."""
        result = []
        for name, column in self.contract.columns.items():
            sql, nth = column.expression, self.nth(name)
            if sql is None:
                continue
            if self.guarded:
                result.append(f"TRY(CAST(({sql}\n) AS VARCHAR)) AS {own(f'_e{nth}')}")
                result.append(f"TRY(({sql}\n) IS NULL) IS NULL AS {own(f'_failed_{nth}')}")
            else:
                result.append(f"CAST(({sql}\n) AS VARCHAR) AS {own(f'_e{nth}')}")
        sql = self.feed.filter
        if sql is not None and self.guarded:
            result.append(f"coalesce(TRY((({sql}\n))::BOOLEAN), false) AS {own('_kept')}")
            result.append(f"TRY((({sql}\n)) IS NULL) IS NULL AS {own('_filter_failed')}")
        elif sql is not None:
            result.append(f"coalesce((({sql}\n))::BOOLEAN, false) AS {own('_kept')}")
        return result

    def typed(self, relation: str, carried: Sequence[str]) -> str:
        """SQL that selects the `carried` columns, texts `_t<i>`, values `_c<i>` and the flags that the checks need from
        raw rows.

        Landing's own names have a prefix where SQL of the contract is evaluated. So that SQL sees only names that the
        contract knows.
        """
        columns = self.contract.columns
        flags = [f"_failed_{self.nth(name)}" for name in columns if columns[name].expression is not None]
        flags = flags if self.guarded else []
        if self.feed.filter is not None:
            flags += ["_kept", "_filter_failed"] if self.guarded else ["_kept"]
        raws = [f"_r{index}" for index in range(len(self.source.fields))]
        raws += [f"_s{index}" for index in range(len(self.source.fields))] if self.source.spelled else []
        computed = self._computed()
        if computed:
            hidden = ", ".join(f"{name} AS {own(name)}" for name in [*carried, *raws])
            relation = f"(SELECT {hidden}{self._named_fields()} FROM {relation})"
            relation = f"(SELECT *, {', '.join(computed)} FROM {relation})"
            lead = [f"{own(name)} AS {name}" for name in [*carried, *flags]]
        else:
            lead = [*carried]
        lead += [
            f"{self._text(name, column, bool(computed))} AS _t{self.nth(name)}" for name, column in columns.items()
        ]
        if self.tells_empty_rows:
            lead.append(f"{self._all_empty(bool(computed))} AS _empty")
            flags.append("_empty")
        cast = casts.as_the_engine_writes if self.brief else casts.typed
        values = [
            f"{cast(f'_t{self.nth(name)}', column, self.contract.format)} AS {self.value(name)}"
            for name, column in columns.items()
        ]
        kept = [*carried, *(f"_t{self.nth(name)}" for name in columns), *flags]
        result = f"SELECT {', '.join([*kept, *values])} FROM (SELECT {', '.join(lead)} FROM {relation})"
        return self._with_rules(result, [*kept, *map(self.value, columns)]) if self.feed.rules else result

    def _with_rules(self, relation: str, given: Sequence[str]) -> str:
        """The typed rows with a further column `_rule_<i>` for each rule. The column is true if the row breaks the
        rule.
        """
        broken = [
            f"TRY(coalesce(({sql}\n), true)) IS NOT TRUE" if self.guarded else f"NOT ({sql}\n)"
            for sql in self.feed.rules.values()
        ]
        hidden = ", ".join(f"{name} AS {own(name)}" for name in given)
        shown = ", ".join(f"{own(name)} AS {name}" for name in given)
        rules = ", ".join(f"{sql} AS _rule_{nth}" for nth, sql in enumerate(broken))
        return f"SELECT {shown}, {rules} FROM (SELECT {hidden}, {self.by_name} FROM ({relation}))"

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
        carried = self._carried
        bad = " OR ".join(f"({item.check.predicate})" for item in self.checks) or "false"
        state = f"WHEN {bad} THEN {BAD_STATE} ELSE {GOOD_STATE} END"
        if self.feed.filter is not None:
            state = f"WHEN NOT _kept THEN {FILTERED_STATE} {state}"
            if self.guarded:
                state = f"WHEN _filter_failed THEN {BAD_STATE} {state}"
        columns = ", ".join([*carried, *map(self.value, self.contract.columns), *self._twice()])
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {STAGED} AS "
            f"SELECT {columns}, (CASE {state})::UTINYINT AS _state "
            f"FROM ({self.typed(self.source.relation, carried)})"
        )

    def cast_failures(self, connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
        """Column → (number of values that fail their cast, number of all values), for each column in which a cast
        fails.
        """
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
            f"count({self.value(name)}) FILTER ({kept}) + count(*) FILTER ({kept} AND {check.predicate})"
            for name, check in casted.items()
        )
        typed = self.typed(self.source.relation, self._carried)
        found = connection.execute(f"SELECT {counts} FROM ({typed})").fetchone()
        assert found is not None
        pairs = zip(casted, zip(found[::2], found[1::2], strict=True), strict=True)
        return {name: pair for name, pair in pairs if pair[0]}
