"""Finds gaps in the sequence numbers of changes (CDC). The source numbers its changes one by one. So if a range of
numbers is missing, these changes have never arrived.
"""

from __future__ import annotations

from asset_checks.counted import counted
from asset_checks.primitives.scope import scope_of
from asset_checks.primitives.sql import identifier, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "sequence_gaps"
DESCRIPTION = "The sequence numbers of the source have no gaps."
FAILURE_CLASS = "source_partial"
SHOWN = 20


def applies(table: TableSpec) -> bool:
    return table.sequence_column is not None


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    column = identifier(table.sequence_column or "")
    rows = situation.rows(
        f"""
        with numbers as (
            select distinct {column}::bigint as number
            from {table_name(table.name)}
            where ({scope_of(situation, table).where}) and {column} is not null
        ),

        steps as (
            select number, lead(number) over (order by number) as next_number
            from numbers
        )

        select number + 1, next_number - 1, sum(next_number - number - 1) over (), count(*) over ()
        from steps
        where next_number - number > 1
        order by number
        limit {SHOWN}
        """
    )
    if not rows:
        return Verdict.ok(f"{table.name}: {table.sequence_column} has no gaps ({scope_of(situation, table).words}).")
    missing, gaps = int(rows[0][2]), int(rows[0][3])
    ranges = [f"{first}" if first == last else f"{first}–{last}" for first, last, *_ in rows]
    return Verdict.fail(
        f"{table.name}: {counted(missing, 'value')} of {table.sequence_column} "
        f"{'is' if missing == 1 else 'are'} missing in {counted(gaps, 'range')}: {', '.join(ranges)}. "
        "Ask the source to send these changes again.",
        "high",
        FAILURE_CLASS,
        missing=missing,
        gaps=gaps,
        ranges=ranges,
    )
