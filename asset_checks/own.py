# This module must not use postponed annotations. Dagster compares the annotation of a context with its own classes, and
# a postponed annotation is only a name.
"""Checks that a user writes: a query with what it may return, or a Python function.

    from asset_checks.own import check

    @check(table="gold.bakery_daily", severity="high")
    def weekends_sell(situation):
        \"\"\"Saturdays sell more than Mondays.\"\"\"
        rows = situation.rows("select ...")
        return f"{rows[0][0]} sold less than a Monday" if rows else None

A function returns None if all is well, a text that says what is wrong, or a `Verdict`. If the function raises an error,
the check itself has failed. A failure of this kind stops nothing.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb

from asset_checks import outcome
from asset_checks.counted import counted
from asset_checks.parameters import Parameters
from asset_checks.verdict import Severity, Situation, Verdict

__all__ = ["OwnCheck", "Situation", "Verdict", "build_own_checks", "check", "query_check"]

Context = outcome.Context
SHOWN = 10
ATTRIBUTE = "ops_check"


@dataclass(frozen=True)
class OwnCheck:
    """One check of one table (`schema.table`). `compute` returns a verdict, or a text that says what is wrong, or None
    if nothing is wrong.
    """

    name: str
    table: str
    compute: Callable[[Situation], Verdict | str | None]
    description: str = ""
    severity: Severity = "medium"
    blocking: bool = False
    """Whether a failure of the check stops the tables that are built from its table."""
    failure_class: str = "data_invalid"
    runbook: str | None = None

    @property
    def spec(self) -> dg.AssetCheckSpec:
        return dg.AssetCheckSpec(
            self.name,
            asset=dg.AssetKey(self.table.split(".")),
            description=self.description,
            blocking=self.blocking,
            metadata={"failure_class": self.failure_class, "kind": self.name},
        )


def check(
    *,
    table: str,
    severity: Severity = "medium",
    blocking: bool = False,
    failure_class: str = "data_invalid",
    runbook: str | None = None,
) -> Callable[[Callable[[Situation], Verdict | str | None]], Callable[[Situation], Verdict | str | None]]:
    """Turns the decorated function into a check of `table`. The check gets the function's name, and the docstring as
    its description.
    """

    def mark(function: Callable[[Situation], Verdict | str | None]) -> Callable[[Situation], Verdict | str | None]:
        made = OwnCheck(
            name=function.__name__,
            table=table,
            compute=function,
            description=inspect.getdoc(function) or "",
            severity=severity,
            blocking=blocking,
            failure_class=failure_class,
            runbook=runbook,
        )
        setattr(function, ATTRIBUTE, made)
        return function

    return mark


def query_check(
    *,
    name: str,
    table: str,
    sql: str,
    low: Decimal | None = None,
    high: Decimal | None = None,
    description: str = "",
    severity: Severity = "medium",
    blocking: bool = False,
    failure_class: str = "data_invalid",
    runbook: str | None = None,
) -> OwnCheck:
    """A check that is a query. Without `low` and `high`, the query must return no row. With at least one of them, the
    query must return a single number within these bounds.
    """

    def compute(situation: Situation) -> Verdict:
        cursor = situation.connection.execute(sql)
        columns = [item[0] for item in cursor.description or ()]
        rows = cursor.fetchmany(SHOWN + 1)
        if low is None and high is None:
            return _no_row(name, columns, rows, severity, failure_class)
        return _within(name, rows, low, high=high, severity=severity, failure_class=failure_class)

    return OwnCheck(
        name=name,
        table=table,
        compute=compute,
        description=description,
        severity=severity,
        blocking=blocking,
        failure_class=failure_class,
        runbook=runbook,
    )


def _no_row(
    name: str, columns: list[str], rows: list[tuple[Any, ...]], severity: Severity, failure_class: str
) -> Verdict:
    if not rows:
        return Verdict.ok("The query returned no row.")
    count = f"more than {SHOWN} rows" if len(rows) > SHOWN else counted(len(rows), "row")
    first = ", ".join(f"{column} = {value}" for column, value in zip(columns, rows[0], strict=True))
    return Verdict.fail(
        f"{name} returned {count}, and must return none. The first: {first}.",
        severity,
        failure_class,
        rows=[dict(zip(columns, map(str, row), strict=True)) for row in rows[:SHOWN]],
    )


def _within(
    name: str,
    rows: list[tuple[Any, ...]],
    low: Decimal | None,
    *,
    high: Decimal | None,
    severity: Severity,
    failure_class: str,
) -> Verdict:
    if len(rows) != 1 or len(rows[0]) != 1:
        return Verdict.fail(
            f"{name} must return one number, and returned {counted(len(rows), 'row')} of "
            f"{counted(len(rows[0]) if rows else 0, 'column')}.",
            "high",
            "code_error",
        )
    value = rows[0][0]
    if value is None:
        return Verdict.unknown(f"{name} returned no number (null).")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Verdict.fail(f"{name} must return a number, and returned {value!r}.", "high", "code_error")
    bounds = " and ".join(
        words for words in (low is not None and f"at least {low}", high is not None and f"at most {high}") if words
    )
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        return Verdict.fail(f"{name} is {value}; it must be {bounds}.", severity, failure_class, value=float(value))
    return Verdict.ok(f"{name} is {value}, {bounds} as it must be.", value=float(value))


def build_own_checks(
    *,
    name: str,
    checks: Sequence[OwnCheck],
    parameters: Parameters,
    connect: Callable[[Context], duckdb.DuckDBPyConnection],
    clock: Callable[[Context], datetime],
    timezone: str,
    runbook: str | None = None,
    required_resource_keys: set[str] | None = None,
    op_tags: Mapping[str, Any] | None = None,
    guard: outcome.Guard = outcome.unguarded,
) -> dg.AssetChecksDefinition | None:
    """All of `checks` as one step with this name, of which Dagster can also run a part. None if there is no check."""
    if not checks:
        return None
    by_key = {item.spec.key: item for item in checks}

    @dg.multi_asset_check(
        name=name,
        specs=[item.spec for item in checks],
        can_subset=True,
        required_resource_keys=required_resource_keys,
        op_tags=op_tags,
    )
    def own_checks(context: Context) -> Iterator[dg.AssetCheckResult]:
        with outcome.situation_of(
            context, connect=connect, clock=clock, parameters=parameters, timezone=timezone, guard=guard
        ) as situation:
            for key in sorted(context.selected_asset_check_keys, key=str):
                item = by_key[key]
                verdict = attempt(situation, item)
                if verdict.status != "ok":
                    context.log.warning(f"{item.table} {item.name}: {verdict.message}")
                yield result(item, verdict, runbook)

    return own_checks


def attempt(situation: Situation, item: OwnCheck) -> Verdict:
    """The verdict of the check. If its function returns something other than None, a text or a Verdict, the verdict
    says so.
    """
    said = outcome.attempt(situation, item.name, item.table, item.compute)
    if said is None:
        return Verdict.ok(f"{item.name}: nothing was found.")
    if isinstance(said, Verdict):
        return said
    if isinstance(said, str):
        return Verdict.fail(said, item.severity, item.failure_class)
    return Verdict.fail(
        f"{item.name} must return None, a text or a Verdict, and returned {type(said).__name__}.", "high", "code_error"
    )


def result(item: OwnCheck, verdict: Verdict, runbook: str | None) -> dg.AssetCheckResult:
    """The verdict as a result of Dagster. If the user has made the check blocking, a failure of any severity stops the
    tables that are built from its table.
    """
    severity = outcome.severity_of(verdict, blocking=item.blocking, at_any_severity=item.blocking)
    return outcome.recorded(item.spec.key, verdict, severity, item.runbook or runbook)
