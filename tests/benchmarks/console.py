"""The console on a large home: 100,000 past alerts, 1,000 assets, 50 open incidents, 540 runs, a year of files.
`python -m tests.benchmarks console`. The server runs in its own process, as under `ops serve`, so that its memory
can be measured. A page's time is measured by a client on the same machine; its CPU time is the server's.
"""

from __future__ import annotations

import http.client
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from ops_project.queries.boards import TITLES
from tests.benchmarks.console_home import home
from tests.console import browser
from tests.operations.incidents.world import IncidentWorld

ROUNDS = 7
MEMORY_MB, PAINT_MS, REPORT_SECONDS = 300, 1_000.0, 5.0
BOARDS = tuple(f"/boards/{name}" for name in TITLES)
PAGES = (
    "/",
    "/incidents",
    "/incidents/1",
    "/alerts",
    "/assets",
    "/assets/gold/table_0",
    "/feeds",
    "/feeds/orders",
    *BOARDS,
    "/figures/quality/column_profiles",
    "/recovery",
    "/reports",
    "/oncall",
    "/routes",
)
PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    const found = list.getEntriesByName('first-contentful-paint');
    if (found.length) done(found[0].startTime);
}).observe({type: 'paint', buffered: true}))"""
LIMIT_MS = {"/": 150.0, **dict.fromkeys(BOARDS, 500.0)}


@contextmanager
def serving(day: IncidentWorld) -> Iterator[tuple[str, psutil.Process]]:
    """`ops serve` on this home: its address and its process."""
    settings = replace(day.settings, as_of=day.now)
    command = [sys.executable, "-m", "ops_project.cli", *settings.options(), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1], psutil.Process(process.pid)
        finally:
            process.terminate()


def pages(url: str, server: psutil.Process) -> dict[str, dict[str, float | None]]:
    """Page → milliseconds of its first answer, the median of the next answers, the server's CPU time for one answer,
    and the bound.
    """
    found: dict[str, dict[str, float | None]] = {}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def get(path: str) -> float:
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:300])
        return (time.perf_counter() - began) * 1000

    for path in PAGES:
        first = get(path)
        spent = sum(server.cpu_times()[:2])
        waits = [get(path) for _ in range(ROUNDS)]
        cpu = (sum(server.cpu_times()[:2]) - spent) * 1000 / ROUNDS
        found[path] = {
            "first_ms": round(first, 1),
            "wall_ms": round(statistics.median(waits), 1),
            "least_ms": round(min(waits), 1),
            "cpu_ms": round(cpu, 1),
            "bound_ms": LIMIT_MS.get(path),
        }
    return found


def first_paint(url: str) -> dict[str, object]:
    """Milliseconds until a real browser shows something of the first page, each time with an empty cache."""
    program = browser.binary()
    if program is None:
        return {"unknown": browser.MISSING}
    paints = []
    with browser.started(program) as chromium:
        for _ in range(ROUNDS):
            page = browser.window(chromium, 1400)
            page.goto(url)
            paints.append(page.evaluate(PAINTED))
            page.context.close()
    return {"median_ms": round(statistics.median(paints), 1), "most_ms": round(max(paints), 1), "bound_ms": PAINT_MS}


def daily_report(day: IncidentWorld) -> dict[str, float]:
    """Seconds of `ops report daily` in a process of its own, from its start to its end."""
    front = replace(day.settings, as_of=day.now).options()
    words = ["report", "daily", "--date", "2026-03-03", "--format", "html", "--out", str(day.settings.home / "r.html")]
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "ops_project.cli", *front, *words], check=True, stdout=subprocess.DEVNULL)
    wall, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
    return {"wall_seconds": round(wall, 2), "cpu_seconds": round(cpu, 2), "bound_seconds": REPORT_SECONDS}


def peak(server: psutil.Process) -> int:
    """The most memory that the process ever had, in MB."""
    status = Path(f"/proc/{server.pid}/status")
    if not status.exists():
        return round(server.memory_info().rss / 1e6)
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) * 1024 / 1e6)


def measure(rounds: int, large: bool) -> dict[str, object]:
    """The times of pages, of the first paint and of a report, and the memory of the server. The size is always the full
    one.
    """
    del rounds, large
    with tempfile.TemporaryDirectory(prefix="ops-console-bench-") as folder:
        day = home(Path(folder))
        size = {
            "alerts": day.ledger.count_alerts(),
            "open_incidents": len(day.ledger.incidents("open", 1000)),
            "assets": len(day.lineage.assets),
        }
        day.ledger.close()
        with serving(day) as (url, server):
            begun = round(server.memory_info().rss / 1e6)
            found = pages(url, server)
            return {
                **size,
                "server_memory_mb": {
                    "when_it_began": begun,
                    "after_every_page": round(server.memory_info().rss / 1e6),
                    "most": peak(server),
                    "bound": MEMORY_MB,
                },
                "first_paint": first_paint(url),
                "daily_report": daily_report(day),
                "pages": found,
            }
