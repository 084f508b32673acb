"""The fixed cost of a small file, beside that of an event of Dagster on the same machine in the same minutes.

Both are counted in CPU time of this process, so that other work on the machine matters little. The files have five rows
each; every one is a transaction of its own.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import dagster as dg
import duckdb

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.runs import open_instance
from ops_project.model.document import Document
from ops_project.model.feed.feed_file import FeedFile
from ops_project.pipeline import landing
from ops_project.settings import Settings

CONTRACT = """
domain: bench
feeds:
  readings:
    inbound: "readings_{date:%Y-%m-%d}_{part}.csv"
    key: id
    columns:
      id: {type: integer, required: true}
      name: string
      amount: {type: "decimal(10,2)", min: 0}
      read_at: timestamp
"""
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
EVENTS = 200
NEEDED = 4.0
"""The most events of Dagster that a file may cost: 20 ms if an event costs 5."""
MOST_SECONDS = 60.0


def file_ms(files: int) -> tuple[float, float]:
    """Milliseconds of CPU and of the clock for each file."""
    feed = Document.parse(CONTRACT, "bench").validate(FeedFile).resolved()["readings"]
    with tempfile.TemporaryDirectory(prefix="bench-small-files-") as name:
        home = Path(name)
        folder = home / "inbound" / "bench"
        folder.mkdir(parents=True)
        for number in range(files):
            rows = "".join(f"{number * 5 + n},a{n},{n}.10,2026-01-01 10:00:00\n" for n in range(5))
            day = FIRST + timedelta(days=number % 300)
            (folder / f"readings_{day}_{number:05}.csv").write_text(f"id,name,amount,read_at\n{rows}")
        with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
            landing.ensure_tables(connection, [feed])
            cpu, clock = time.process_time(), time.perf_counter()
            result = landing.land(connection, feed, inbound=home / "inbound", archive=home / "archive", now=NOW)
            cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    assert result.files == {"loaded": files}, result
    return 1000 * cpu / files, 1000 * clock / files


def event_ms() -> tuple[float, float]:
    """Milliseconds of CPU and of the clock for each event that Dagster stores in its own SQLite files. The figure shows
    how fast the machine is. The storage of a home is a subclass that takes a quarter of the time, so a figure from it
    would mix the speed of the machine and the speed of that subclass.
    """
    with tempfile.TemporaryDirectory(prefix="bench-events-") as name, dg.DagsterInstance.local_temp(name) as instance:
        return _events(instance)


def own_event_ms() -> tuple[float, float]:
    """Milliseconds of CPU and of the clock for each event that is stored in a home's instance."""
    with tempfile.TemporaryDirectory(prefix="bench-events-") as name:
        settings = Settings(home=Path(name), as_of=NOW)
        dagster_home.ensure(settings)
        with settings.exported(), open_instance(settings) as instance:
            return _events(instance)


def _events(instance: dg.DagsterInstance) -> tuple[float, float]:
    instance.report_runless_asset_event(dg.AssetObservation("bench"))
    cpu, clock = time.process_time(), time.perf_counter()
    for number in range(EVENTS):
        instance.report_runless_asset_event(dg.AssetMaterialization("bench", metadata={"number": number}))
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    return 1000 * cpu / EVENTS, 1000 * clock / EVENTS


def measure(rounds: int, large: bool) -> dict[str, object]:
    """The cost of a file, of an event, and how many events cost as much as one file (median of the rounds)."""
    files = 3_000 if large else 300
    pairs = [(file_ms(files), event_ms()) for _ in range(rounds)]
    ratio = median(file[0] / event[0] for file, event in pairs)
    seconds = median(file[1] for file, _ in pairs) * 3_000 / 1000
    return {
        "files": files,
        "file_cpu_ms": round(median(file[0] for file, _ in pairs), 2),
        "file_ms": round(median(file[1] for file, _ in pairs), 2),
        "event_cpu_ms": round(median(event[0] for _, event in pairs), 2),
        "event_ms": round(median(event[1] for _, event in pairs), 2),
        "own_event_cpu_ms": round(own_event_ms()[0], 2),
        "ratio": round(ratio, 2),
        "bound": f"<= {NEEDED}",
        "holds": ratio <= NEEDED,
        "seconds_of_3000_files": round(seconds, 1),
        "bound_seconds": f"<= {MOST_SECONDS}",
        "holds_seconds": seconds <= MOST_SECONDS,
    }
