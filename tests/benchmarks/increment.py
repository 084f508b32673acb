"""One more day as a whole run, with thirty days of history and with ten times as many. Landing, checks, models,
snapshot and publication are measured together; the models alone are in `transform`. The copy of the warehouse is
reported separately: it costs as much as the file's size if the file system cannot share blocks.
"""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

from ops_project.catalog import load as load_catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.settings import Settings
from tests.benchmarks.runs import NOW, ops_run, with_history

BOUND = 1.3
DAYS, FACTOR = 30, 10


def measure(rounds: int, large: bool) -> dict[str, object]:
    """Seconds of a day's run on both histories. With `large` at the default scale, otherwise at a tenth of it."""
    dbt_manifest.load()
    seconds: dict[int, list[float]] = {1: [], FACTOR: []}
    copied: dict[int, list[float]] = {1: [], FACTOR: []}
    with tempfile.TemporaryDirectory(prefix="bench-increment-") as folder:
        for factor in seconds:
            home = Path(folder) / str(factor)
            end = date(2026, 3, 3) - timedelta(days=rounds)
            _deliver(home, DAYS * factor, end, 1.0 if large else 0.1)
            home = with_history(home, Path(folder) / f"run-{factor}")
            ops_run(home, _noon_after(end), may_find=True)
            for number in range(1, rounds + 1):
                day = end + timedelta(days=number)
                _deliver(home, 1, day, 1.0 if large else 0.1)
                took, told = ops_run(home, _noon_after(day), may_find=True)
                seconds[factor].append(took)
                copied[factor].append(told["parts"]["snapshot"])
    once, many = median(seconds[1]), median(seconds[FACTOR])
    return {
        "days_1x": DAYS,
        "days_10x": DAYS * FACTOR,
        "seconds_1x": round(once, 2),
        "seconds_10x": round(many, 2),
        "snapshot_s_1x": round(median(copied[1]), 2),
        "snapshot_s_10x": round(median(copied[FACTOR]), 2),
        "ratio": round(many / once, 2),
        "bound": BOUND,
        "within_bound": many / once <= BOUND,
    }


def _noon_after(day: date) -> datetime:
    """When the files of this day have arrived. Later, a check would fail because the newest data is old."""
    return datetime.combine(day + timedelta(days=1), NOW.timetz())


def _deliver(home: Path, days: int, end: date, scale: float) -> None:
    from ops_project.simulator.plans import Asked
    from ops_project.simulator.simulation import simulate

    settings = Settings(home=home, as_of=NOW)
    asked = Asked(domains=("ecommerce",), days=days, end=end, scale=scale, seed=7)
    simulate(settings, load_catalog(settings), NOW, asked)
