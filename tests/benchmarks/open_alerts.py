"""A cycle while many alerts are open: how long it takes once all of them were sent, and how that grows with their
number.
"""

from __future__ import annotations

import contextlib
import cProfile
import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.decide import decide_and_record
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

MOST = 5_000
CYCLES = 12
"""A minute of a daemon. Each group of critical alerts comes due in every cycle."""
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def _signals(count: int) -> list[Signal]:
    """The largest load: every alert is critical and in its own group, and is sent through each channel that pages or
    notifies.
    """
    return [
        Signal(
            "run.failure",
            FIRING,
            NOW,
            NOW,
            str(n),
            1.0,
            domain="ecommerce",
            pipeline=f"pipeline_{n:05d}",
            assets=(f"gold/t{n:05d}",),
            owners=("team:ecommerce-data",),
            labels={"scheduled": "true"},
        )
        for n in range(count)
    ]


def cycle_seconds(count: int) -> dict[str, float]:
    """Seconds of the cycle that sends `count` new alerts, and of the cycles after it: elapsed time, and CPU time."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        settings = Settings.load(home=folder)
        loaded = catalog.load(settings)
        graph = Lineage.of(
            AssetFacts(f"gold/t{n:05d}", (), ("team:ecommerce-data",), "ecommerce") for n in range(count)
        )
        with Ledger.open(settings.ledger_url) as ledger, contextlib.redirect_stderr(nowhere):
            ledger.append(_signals(count))
            began = time.perf_counter()
            for second in (0, 5, 40):
                at = NOW + timedelta(seconds=second)
                run_once(settings, loaded, at, lineage=graph, observers=(), stages=(decide_and_record,))
            told = time.perf_counter() - began
            clock, busy = [], []
            for n in range(CYCLES):
                at = NOW + timedelta(minutes=6, seconds=5 * n)
                began, used = time.perf_counter(), time.process_time()
                report = run_once(settings, loaded, at, lineage=graph, observers=(), stages=(decide_and_record,))
                clock.append(time.perf_counter() - began)
                busy.append(time.process_time() - used)
                assert report.decided == 0 and report.queued == 0
            assert len(ledger.alerts("open", None)) == count
            # The number of calls does not depend on the machine. On a busy machine, five times the memory costs more
            # than five times the time.
            counted = cProfile.Profile()
            at = NOW + timedelta(minutes=8)
            counted.runcall(run_once, settings, loaded, at, lineage=graph, observers=(), stages=(decide_and_record,))
            calls = sum(entry.callcount for entry in counted.getstats())
    return {
        "told": told,
        "seconds": statistics.median(clock),
        "cpu_seconds": statistics.median(busy),
        "calls": calls,
    }


def measure(rounds: int = 1, large: bool = False) -> dict[str, Any]:
    """The cycle at 5,000 open alerts, and its growth from a fifth of them."""
    fifth, whole = cycle_seconds(MOST // 5), cycle_seconds(MOST)
    growth = whole["cpu_seconds"] / fifth["cpu_seconds"]
    return {
        "open_alerts": MOST,
        "cycle_seconds": whole["seconds"],
        "cycle_cpu_seconds": whole["cpu_seconds"],
        "telling_all_of_them_seconds": whole["told"],
        "growth_over_a_fifth": growth,
        "growth_of_calls": whole["calls"] / fifth["calls"],
        "wanted_seconds_at_most": 1.0,
        "wanted_growth_at_most": 5.5,
        "holds": whole["seconds"] <= 1.0 and growth <= 5.5,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))  # noqa: T201
