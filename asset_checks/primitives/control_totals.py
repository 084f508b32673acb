"""Compares a number on both sides of a hop, for example to see whether everything that left bronze has arrived in
silver. Each date is compared by itself, because a total would hide two errors that cancel each other out. Only if there
are no date columns, totals are compared.
"""

from __future__ import annotations

from typing import Any

from asset_checks.primitives.scope import scope_of
from asset_checks.primitives.sql import date_list, identifier, table_name
from asset_checks.specs import ControlTotal, TableSpec
from asset_checks.verdict import Situation, Verdict

PREFIX = "control_total_"
FAILURE_CLASS = "reconciliation_break"
SHOWN = 20


def check_name(total: ControlTotal) -> str:
    return f"{PREFIX}{total.name}"


def describe(total: ControlTotal) -> str:
    each = " on each date" if total.source_date else ""
    return f"{total.target_value} here equals {total.source_value} of {total.source}{each}."


def evaluate(situation: Situation, table: TableSpec, total: ControlTotal) -> Verdict:
    if not situation.exists(total.source):
        return Verdict.unknown(f"{total.source} does not exist: nothing to compare {table.name} with.")
    rows = situation.rows(_sql(situation, table, total))
    broken = [
        {"date": str(day or ""), "source": _number(source), "target": _number(target)}
        for day, source, target in rows
        if abs(float(source or 0) - float(target or 0)) > total.tolerance
    ]
    evidence = {
        "compared": len(rows),
        "source_total": _number(sum(float(row[1] or 0) for row in rows)),
        "target_total": _number(sum(float(row[2] or 0) for row in rows)),
        "tolerance": total.tolerance,
    }
    if not broken:
        return Verdict.ok(f"{table.name} agrees with {total.source} ({len(rows)} compared).", **evidence)
    return Verdict.fail(
        f"{table.name} disagrees with {total.source} on {len(broken)} of {len(rows)} "
        f"{'dates' if total.source_date else 'totals'}, first {broken[0]['date']}: "
        f"{broken[0]['source']} there, {broken[0]['target']} here.",
        "high",
        FAILURE_CLASS,
        breaks=broken[:SHOWN],
        dates=[line["date"] for line in broken][:SHOWN],
        **evidence,
    )


def _number(value: Any) -> float:
    return round(float(value or 0), 6)


def _sql(situation: Situation, table: TableSpec, total: ControlTotal) -> str:
    if total.source_date is None or total.target_date is None:
        return f"""
            select
                null as day,
                (select {total.source_value} from {table_name(total.source)} where {total.source_where}),
                (select {total.target_value} from {table_name(table.name)} where {total.target_where})
        """
    dates = scope_of(situation, table).dates
    limit = f" in ({date_list(dates)})" if dates is not None else " is not null"
    source_day, target_day = f"{identifier(total.source_date)}::date", f"{identifier(total.target_date)}::date"
    source = table_name(total.source)
    if total.source_rows is not None:
        source = "(" + total.source_rows.replace("{dates}", f"{source_day}{limit}") + ")"
    return f"""
        with source as (
            select {source_day} as day, {total.source_value} as value
            from {source}
            where ({total.source_where}) and {source_day}{limit}
            group by all
        ),

        target as (
            select {target_day} as day, {total.target_value} as value
            from {table_name(table.name)}
            where ({total.target_where}) and {target_day}{limit}
            group by all
        )

        select day, source.value, target.value
        from source
        full outer join target using (day)
        order by day
    """
