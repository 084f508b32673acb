"""How fast a day of web events is made: 20 million in under a minute on two cores, in limited memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

BOUND_SECONDS, BOUND_EVENTS = 60.0, 20_000_000
# scale → about 6,050 web events and 1,450 order items a day
LARGE = {"days": 4, "scale": 1050.0}
SMALL = {"days": 2, "scale": 40.0}

# This runs in a process of its own, so that the peak memory belongs to this measurement alone.
SCRIPT = """
import json, resource, sys
from datetime import UTC, date, datetime
from ops_project.settings import Settings
from ops_project.simulator import simulate
home, days, scale, feeds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4])
settings = Settings.load(home=home, as_of=datetime(2026, 3, 13, 12, tzinfo=UTC), environ={})
result = simulate(settings, domain="ecommerce", days=days, end=date(2026, 3, 12), scale=scale, feeds=feeds)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"rows": result.reports[0].rows, "bytes": result.reports[0].bytes, "peak_mb": peak}))
"""


def measure(rounds: int, large: bool) -> dict[str, Any]:
    """Seconds for the web events alone and for all five files of the shop, including the start of the processes.

    The bound is for the large size. At the small size half of the time is the start of the process, which the
    projection to 20 million events would count fifty times.
    """
    size = LARGE if large else SMALL
    events = [_once(size, ["web_events"]) for _ in range(rounds)]
    whole = [_once(size, []) for _ in range(rounds)]
    rows = events[0]["rows"]["web_events"]
    seconds = median(one["seconds"] for one in events)
    projected = seconds * BOUND_EVENTS / rows
    return {
        "web_events": rows,
        "order_items": whole[0]["rows"]["order_items"],
        "seconds_web_events": round(seconds, 2),
        "seconds_all_files": round(median(one["seconds"] for one in whole), 2),
        "megabytes_all_files": round(whole[0]["bytes"] / 1e6),
        "peak_mb": max(one["peak_mb"] for one in events + whole),
        "seconds_for_20_million_events": round(projected, 1),
        "bound_seconds": BOUND_SECONDS,
        "holds": projected <= BOUND_SECONDS if large else None,
    }


def _once(size: dict[str, Any], feeds: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", SCRIPT, folder, str(size["days"]), str(size["scale"]), json.dumps(feeds)]
        began = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        return {"seconds": time.perf_counter() - began, **json.loads(done.stdout)}
