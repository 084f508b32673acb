"""Checks that no row is lost. The rows of a file must equal the sum of the loaded, quarantined, filtered and collapsed
rows, and the loaded rows must be in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asset_checks.counted import counted
from asset_checks.primitives.batches import Batch, recent_batches
from asset_checks.primitives.sql import table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict

NAME = "row_conservation"
DESCRIPTION = "Every row was loaded, quarantined, filtered or collapsed, and every loaded row is in the table."
FAILURE_CLASS = "reconciliation_break"
SHOWN = 20


def applies(table: TableSpec) -> bool:
    return table.feed is not None


def judge(feed: str, batches: Sequence[Batch], in_table: Mapping[str, int]) -> Verdict:
    """The verdict on the batches of a feed. `in_table`: id of a batch → the number of its rows in the table."""
    broken: list[dict[str, object]] = []
    for batch in batches:
        held = in_table.get(batch.batch_id, 0)
        due = batch.rows_loaded if batch.status == "loaded" else 0
        adds_up = batch.status != "loaded" or batch.rows_in == batch.accounted
        if not adds_up or held != due:
            broken.append(
                {
                    "batch_id": batch.batch_id,
                    "file": batch.file_name,
                    "date": str(batch.business_date or ""),
                    "status": batch.status,
                    "rows_in": batch.rows_in,
                    "accounted": batch.accounted,
                    "rows_loaded": due,
                    "rows_in_table": held,
                }
            )
    evidence = {"batches": len(batches), "rows_in": sum(b.rows_in for b in batches)}
    if not broken:
        return Verdict.ok(
            f"{feed}: every row of {counted(len(batches), 'batch', 'batches')} is accounted for.", **evidence
        )
    gone = sum(1 for line in broken if line["rows_loaded"] and not line["rows_in_table"])
    mend = (
        f"The table has no row of {gone} of them. Stop using it, and restore it from a snapshot of an earlier time; if "
        "there is none, land the archived files again."
        if gone
        else "Stop using the table, and land the archived file again."
    )
    return Verdict.fail(
        f"{feed}: {len(broken)} of {counted(len(batches), 'batch', 'batches')} "
        f"{'does' if len(broken) == 1 else 'do'} not add up, first {broken[0]['file']}. {mend}",
        "critical",
        FAILURE_CLASS,
        broken=broken[:SHOWN],
        files=[str(line["file"]) for line in broken][:SHOWN],
        dates=sorted({str(line["date"]) for line in broken})[:SHOWN],
        **evidence,
    )


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    batches = recent_batches(situation, table)
    if not batches:
        return Verdict.unknown(f"{table.feed} has no batch yet.", passed=True)
    # The table is sorted by this sequence number. So DuckDB's zone maps limit the scan to these batches.
    held = situation.rows(
        f"""
        select _batch_id, count(*)
        from {table_name(table.name)}
        where _load_seq >= ? and list_contains(?, _batch_id)
        group by _batch_id
        """,
        [min(batch.load_seq for batch in batches), [batch.batch_id for batch in batches]],
    )
    return judge(str(table.feed), batches, {row[0]: row[1] for row in held})
