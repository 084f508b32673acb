"""How often `ops diagnose` names the true root first, beside the rule `nearest failing table upstream`. Also how long
`ops diagnose` and `ops lineage` take. tests/operations/diagnosis/measure_faults.py explains the measurement.

Small: a handful of faults, alone, on one seed; large: every fault in every situation on three seeds, which takes hours.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops_project.operations.diagnosis.columns import find, trace
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.diagnosis import measure_faults
from tests.operations.diagnosis.measured import ALONE, summary

SMALL = ("missing_column", "policies_lost", "policies_duplicated", "fan_out", "error_rate", "mandatory_empty")
FIRST, DIAGNOSE_SECONDS, LINEAGE_SECONDS = 0.9, 3.0, 0.5


def measure(rounds: int, large: bool) -> dict[str, Any]:
    """Shares of faults whose root is first, among the first three, and found by the simple rule; and the times."""
    with tempfile.TemporaryDirectory(prefix="diagnosis-") as folder:
        work = Path(folder)
        wanted = [
            case
            for case in measure_faults.cases(work)
            if large or (case.fault in SMALL and case.situation == ALONE and case.seed == measure_faults.SEEDS[0])
        ]
        measure_faults.measure(work, wanted)
        found = list(measure_faults.judge(work, wanted))
        lineage = _lineage_seconds(next(path for path in work.glob("base-*") if path.is_dir()))
    said = summary(found)
    return {
        **said,
        "bound": f">= {FIRST}",
        "holds": said["first"] >= FIRST,
        "missed": [vars(item) for item in found if item.place != 1],
        "diagnose_holds": said["seconds"] <= DIAGNOSE_SECONDS,
        "lineage_seconds": round(lineage, 3),
        "lineage_holds": lineage <= LINEAGE_SECONDS,
    }


def _lineage_seconds(home: Path) -> float:
    ledger = open_ledger(Settings(home=home, as_of=datetime.now(UTC)))
    began = time.perf_counter()
    known = ledger.columns()
    assert known is not None
    trace(known, find(known, "gold.customer_360.email"), "up", rows=True)
    return time.perf_counter() - began
