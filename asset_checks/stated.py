# This module must not use postponed annotations. Dagster compares the annotation of a context with its own classes, and
# a postponed annotation is only a name.
"""Checks whose verdict is already in a table: a model computed it row by row, and the check reports it on the right
asset. A failure is reported at the asset that caused it (`asset`). The table that shows it (`table`) is built later, so
the check waits for this table. Nothing is computed again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import duckdb

from asset_checks.outcome import Context, Guard, attempt, recorded, severity_of, situation_of, unguarded
from asset_checks.parameters import Parameters
from asset_checks.primitives.sql import identifier, table_name
from asset_checks.verdict import Severity, Situation, Verdict

SHOWN = 20


@dataclass(frozen=True)
class StatedCheck:
    """The rows of `table` for which `failing` holds are reported as findings at `asset`. Both are written as
    `schema.table`.
    """

    name: str
    asset: str
    table: str
    failing: str
    """An SQL condition on the columns of the table."""
    says: str
    """An SQL expression. Its text describes what is wrong with one row."""
    description: str
    advice: str
    failure_class: str
    severity: Severity = "high"
    evidence: tuple[str, ...] = ()
    """The columns that are shown for each failing row."""
    order: str = "1"
    date_column: str | None = None
    """The column with the date; None if all rows are checked. With a date, only some dates are checked: the newest
    `window_dates` dates, and those that a load of the last day has touched.
    """
    feeds: tuple[str, ...] = ()
    window_dates: int = 7
    blocking: bool = False
    counts: str = ""
    """The column whose largest value is reported under the name `counted_as`. Rules add up the reported numbers."""
    counted_as: str = ""

    @property
    def spec(self) -> dg.AssetCheckSpec:
        own, other = dg.AssetKey(self.asset.split(".")), dg.AssetKey(self.table.split("."))
        return dg.AssetCheckSpec(
            self.name,
            asset=own,
            description=self.description,
            blocking=self.blocking,
            additional_deps=[] if other == own else [other],
            metadata={"failure_class": self.failure_class, "kind": self.name},
        )


def build_stated_checks(
    *,
    domain: str,
    checks: Sequence[StatedCheck],
    parameters: Parameters,
    connect: Callable[[Context], duckdb.DuckDBPyConnection],
    clock: Callable[[Context], datetime],
    timezone: str,
    runbooks: Mapping[str, str] | None = None,
    required_resource_keys: set[str] | None = None,
    op_tags: Mapping[str, Any] | None = None,
    guard: Guard = unguarded,
) -> dg.AssetChecksDefinition | None:
    """All of `checks` as one step, of which Dagster can also run a part. None if there is no check. `runbooks`: asset →
    the slug of its runbook.
    """
    if not checks:
        return None
    by_key = {check.spec.key: check for check in checks}

    @dg.multi_asset_check(
        name=f"{domain}_stated_checks",
        specs=[check.spec for check in checks],
        description=f"Verdicts that the tables of {domain} hold, reported on the asset that caused them.",
        can_subset=True,
        required_resource_keys=required_resource_keys,
        op_tags=op_tags,
    )
    def stated_checks(context: Context) -> Iterator[dg.AssetCheckResult]:
        with situation_of(
            context, connect=connect, clock=clock, parameters=parameters, timezone=timezone, guard=guard
        ) as situation:
            for key in sorted(context.selected_asset_check_keys, key=str):
                check = by_key[key]
                verdict = attempt(situation, check.name, check.table, partial(evaluate, check=check))
                if verdict.status != "ok":
                    context.log.warning(f"{check.asset} {check.name}: {verdict.message}")
                severity = severity_of(verdict, blocking=check.blocking)
                yield recorded(key, verdict, severity, (runbooks or {}).get(check.asset))

    return stated_checks


def evaluate(situation: Situation, check: StatedCheck) -> Verdict:
    """The verdict on the rows that are checked."""
    scope, parameters = _scope(situation, check)
    columns = "".join(f", {identifier(name)}::varchar" for name in check.evidence)
    day = f"{identifier(check.date_column)}::date" if check.date_column else "null"
    number = f"max({identifier(check.counts)}) over ()" if check.counts else "null"
    rows = situation.rows(
        f"select {check.says}, count(*) over (), {number}, {day}{columns} from {table_name(check.table)}"
        f" where ({check.failing}) and {scope} order by {check.order} limit {SHOWN}",
        parameters,
    )
    if not rows:
        return Verdict.ok(check.description)
    total = int(rows[0][1])
    more = f" and {total - 1} more" if total > 1 else ""
    return Verdict.fail(
        f"{rows[0][0]}{more}. {check.advice}",
        check.severity,
        check.failure_class,
        findings=total,
        stated_by=check.table,
        rows=[dict(zip(check.evidence, row[4:], strict=True)) for row in rows],
        **({"dates": sorted({str(row[3]) for row in rows if row[3] is not None})} if check.date_column else {}),
        **({check.counted_as: int(rows[0][2])} if check.counts else {}),
    )


def _scope(situation: Situation, check: StatedCheck) -> tuple[str, list[Any]]:
    if check.date_column is None:
        return "true", []
    column, table = identifier(check.date_column), table_name(check.table)
    return (
        f"""(
            {column} in (select distinct {column} from {table} order by 1 desc limit {check.window_dates})
            or {column} in (
                select touched.business_date
                from ops.touched_dates as touched
                inner join ops.batches as batches on touched.load_seq = batches.load_seq
                where list_contains(?, touched.feed) and batches.loaded_at > ?
            )
        )""",
        [list(check.feeds), situation.now_utc - timedelta(days=1)],
    )
