"""A whole large run: 20 million web events and 5 million order items with --large, and a fortieth of them without.
`ops run` on simulated files, in one process: landing, checks, bronze to gold, snapshot, publication, and the peak
memory of the process. `transform` compares bronze to gold with hand-written SQL.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

from ops_project.catalog import load as load_catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import Settings
from tests.benchmarks.runs import NOW, ops_run, with_history

WEB_EVENTS, DAYS = 20_000_000, 10
MEMORY_BOUND_MB = 4096


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Seconds by part, rows, and peak memory."""
    dbt_manifest.load()
    with tempfile.TemporaryDirectory(prefix="bench-large-") as folder:
        root = Path(folder)
        waiting, simulated = _simulated(root / "waiting", WEB_EVENTS if large else WEB_EVENTS // 40)
        told, seconds = [], []
        for number in range(rounds):
            home = with_history(waiting, root / f"run-{number}")
            took, run = ops_run(home)
            seconds.append(took)
            told.append(run)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            shutil.rmtree(home)
    parts = {name: round(median(run["parts"].get(name, 0.0) for run in told), 2) for name in told[0]["parts"]}
    return {
        "rows_in": told[0]["rows_in"],
        **simulated,
        "ops_run_s": round(median(seconds), 1),
        "parts_s": parts,
        "peak_mb": round(peak),
        "peak_bound_mb": MEMORY_BOUND_MB,
        "within_bound": peak <= MEMORY_BOUND_MB,
    }


def _simulated(home: Path, web_events: int) -> tuple[Path, dict[str, object]]:
    """Files of DAYS days with about `web_events` events. The scale is computed from one day at scale 1."""
    from ops_project.simulator.plans import Asked
    from ops_project.simulator.simulation import simulate

    def deliver(target: Path, days: int, scale: float) -> dict[str, int]:
        settings = Settings(home=target, as_of=NOW)
        asked = Asked(domains=("ecommerce",), days=days, end=date(2026, 3, 3), scale=scale, seed=7)
        return simulate(settings, load_catalog(settings), NOW, asked).reports[0].rows

    with tempfile.TemporaryDirectory() as probe:
        at_one = deliver(Path(probe), 1, 1.0)["web_events"]
    rows = deliver(home, DAYS, web_events / DAYS / at_one)
    return home, {"web_events": rows["web_events"], "order_items": rows["order_items"]}
