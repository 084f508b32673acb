"""A cycle while many alerts are open: how long it takes once all of them were sent, and how that grows with their
number. In an idle cycle nothing happens. In a busy cycle another pipeline fails or is repaired.
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
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.decide import decide_and_record
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

MOST = 5_000
CYCLES = 12
"""A minute of a daemon. Each group of critical alerts comes due in every cycle."""
GROWTH = 5.5
"""The most that a cycle may cost with five times the alerts."""
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def _signal(number: int, at: datetime = NOW, state: str = FIRING) -> Signal:
    return Signal(
        "run.failure",
        state,
        at,
        at,
        f"{number} {at.isoformat()}",
        float(state == FIRING),
        domain="ecommerce",
        pipeline=f"pipeline_{number:05d}",
        assets=(f"gold/t{number:05d}",),
        owners=("team:ecommerce-data",),
        labels={"scheduled": "true"},
    )


def _signals(count: int) -> list[Signal]:
    """The largest load: every alert is critical and in its own group, and is sent through each channel that pages or
    notifies.
    """
    return [_signal(n) for n in range(count)]


def cycle_seconds(count: int) -> dict[str, float]:
    """Seconds of the cycles that send `count` new alerts, and of idle and busy cycles after them: elapsed time, and CPU
    time.
    """
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

            def timed(at: datetime) -> tuple[float, float, CycleReport]:
                began, used = time.perf_counter(), time.process_time()
                report = run_once(settings, loaded, at, lineage=graph, observers=(), stages=(decide_and_record,))
                return time.perf_counter() - began, time.process_time() - used, report

            idle, busy = [], []
            for n in range(CYCLES):
                idle.append(timed(NOW + timedelta(minutes=6, seconds=5 * n)))
                assert idle[-1][2].decided == 0 and idle[-1][2].queued == 0
            for n in range(CYCLES):
                at = NOW + timedelta(minutes=7, seconds=5 * n)
                ledger.append([_signal(count + n // 2, at, OK if n % 2 else FIRING)])
                busy.append(timed(at))
                assert busy[-1][2].decided == 1 and (busy[-1][2].fired or busy[-1][2].resolved)
            assert len(ledger.alerts("open", None)) == count
            # The number of calls does not depend on the machine. On a busy machine, five times the memory costs more
            # than five times the time.
            counted = cProfile.Profile()
            at = NOW + timedelta(minutes=9)
            counted.runcall(run_once, settings, loaded, at, lineage=graph, observers=(), stages=(decide_and_record,))
            calls = sum(entry.callcount for entry in counted.getstats())
    return {
        "told": told,
        "seconds": statistics.median(clock for clock, _, _ in idle),
        "cpu_seconds": statistics.median(cpu for _, cpu, _ in idle),
        "busy_seconds": statistics.median(clock for clock, _, _ in busy),
        "busy_cpu_seconds": statistics.median(cpu for _, cpu, _ in busy),
        "calls": calls,
    }


def measure(rounds: int = 1, large: bool = False) -> dict[str, Any]:
    """The cycle at 5,000 open alerts, and its growth from a fifth of them."""
    fifth, whole = cycle_seconds(MOST // 5), cycle_seconds(MOST)
    growth = {name: whole[name] / fifth[name] for name in ("cpu_seconds", "busy_cpu_seconds", "calls")}
    return {
        "open_alerts": MOST,
        "cycle_seconds": whole["seconds"],
        "cycle_cpu_seconds": whole["cpu_seconds"],
        "telling_all_of_them_seconds": whole["told"],
        "growth_over_a_fifth": growth["cpu_seconds"],
        "growth_of_calls": growth["calls"],
        "busy_cycle_seconds": whole["busy_seconds"],
        "busy_cycle_cpu_seconds": whole["busy_cpu_seconds"],
        "busy_growth_over_a_fifth": growth["busy_cpu_seconds"],
        "wanted_seconds_at_most": 1.0,
        "wanted_growth_at_most": GROWTH,
        "holds": max(whole["seconds"], whole["busy_seconds"]) <= 1.0 and max(growth.values()) <= GROWTH,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))  # noqa: T201
