"""Counts the quarantined rows of a delivery by reason. The result shows reasons and numbers, and never the rows."""

from __future__ import annotations

from asset_checks.counted import counted
from asset_checks.parameters import QuarantineParameters
from asset_checks.primitives.batches import Batch, recent_batches
from asset_checks.primitives.sql import columns
from asset_checks.specs import TableSpec
from asset_checks.verdict import Severity, Situation, Verdict

NAME = "quarantined_rows"
DESCRIPTION = "No recent load put a larger share of its rows into quarantine than checks.yaml allows."
FAILURE_CLASS = "data_invalid"
REASONS = 10


def applies(table: TableSpec) -> bool:
    return table.feed is not None


def severity_of(share: float, parameters: QuarantineParameters) -> Severity | None:
    """The severity; None if the share of quarantined rows is too small for a finding."""
    if share > parameters.high:
        return "high"
    return "medium" if share > parameters.medium else None


def _worst_load(batches: list[Batch]) -> list[Batch]:
    """The batches of the one recent load in which the share of quarantined rows is the largest. Loads are not added up,
    because a large good load would hide a bad one.
    """
    loads: dict[object, list[Batch]] = {}
    for batch in batches:
        loads.setdefault(batch.loaded_at, []).append(batch)

    def share(load: list[Batch]) -> float:
        return sum(batch.rows_quarantined for batch in load) / max(1, sum(batch.rows_in for batch in load))

    # If two loads have the same share, the newest one counts.
    return max(reversed(loads.values()), key=share, default=[])


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    batches = _worst_load([batch for batch in recent_batches(situation, table) if batch.status == "loaded"])
    rows = sum(batch.rows_in for batch in batches)
    bad = sum(batch.rows_quarantined for batch in batches)
    if not rows:
        return Verdict.unknown(f"{table.feed}: no rows were delivered, none could be judged.", passed=True)
    severity = severity_of(bad / rows, situation.parameters.quarantine)
    if severity is None:
        return Verdict.ok(
            f"{table.feed}: {bad} of {counted(rows, 'row')} in quarantine.", rows_in=rows, rows_quarantined=bad
        )
    reasons = situation.rows(
        f"""
        select {columns(("column_name", "reason"))}, sum(rows)::bigint as occurrences
        from ops.quarantine
        where list_contains(?, batch_id)
        group by all
        order by occurrences desc, 1, 2
        limit {REASONS}
        """,
        [[batch.batch_id for batch in batches]],
    )
    return Verdict.fail(
        f"{table.feed}: {bad} of {counted(rows, 'row')} ({bad / rows:.2%}) went into quarantine. "
        "Correct them at the source and have the file delivered again, or mend the contract and replay.",
        severity,
        FAILURE_CLASS,
        rows_in=rows,
        rows_quarantined=bad,
        share=bad / rows,
        reasons=[{"column": row[0] or "", "reason": row[1], "rows": row[2]} for row in reasons],
        files=sorted({batch.file_name for batch in batches if batch.rows_quarantined}),
        dates=sorted({str(batch.business_date) for batch in batches if batch.rows_quarantined}),
    )
