"""The console on a large home: 100,000 past alerts, 1,000 assets, 50 open incidents, 540 runs, a year of files.
`python -m tests.benchmarks console`. The server runs in its own process, as under `ops serve`, so that its memory
can be measured. A page's time is measured by a client on the same machine; its CPU time is the server's.
"""

from __future__ import annotations

import http.client
import json
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import psutil

from ops_project.catalog import load
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.ledger.lineage_document import remember
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.learning.tables import ensure
from ops_project.pipeline.warehouse import snapshots
from ops_project.queries.boards import TITLES
from tests.console import browser
from tests.operations.incidents.world import IncidentWorld

PAST, ASSETS, OPEN = 100_000, 1_000, 50
RUN_DAYS, JOBS, FILE_DAYS = 90, 6, 365
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


def home(folder: Path, past: int = PAST, assets: int = ASSETS, incidents: int = OPEN) -> IncidentWorld:
    """A home with that much in its ledger."""
    day = IncidentWorld(folder, "2026-03-04 04:10")
    facts = [
        AssetFacts(
            f"gold/table_{n}",
            (f"gold/table_{n - 1}",) if n % 20 else (),
            ("team:investor-metrics",),
            "investor",
            "gold",
            "1",
        )
        for n in range(assets)
    ]
    day.lineage = Lineage.of([*day.lineage.assets.values(), *facts])
    remember(day.ledger, day.lineage, day.now)
    _past(day, past)
    for n in range(incidents):
        day.signal("asset.failure", FIRING, asset=f"gold/table_{n * 20}", domain="investor", run_id=f"run{n}")
    day.cycle()
    _runs(day)
    _snapshot(day)
    return day


def _past(day: IncidentWorld, count: int) -> None:
    """Alerts that fired and ended, as the engine keeps them, with their signals and messages."""
    day.job_fails(pipeline="old_pipeline")
    day.cycle()
    [alert] = day.ledger.alerts("open")
    day.job_succeeds(pipeline="old_pipeline")
    day.advance("1h", timedelta(minutes=30))
    from sqlalchemy import insert

    from ops_project.operations.ledger.alert_rows import alert_row
    from ops_project.operations.ledger.schema import alert_events, alerts, outbox

    rows, events, messages = [], [], []
    for n in range(count):
        at = day.now - timedelta(minutes=5 * (count - n) / 10)
        old = replace(
            alert,
            number=1_000 + n,
            key=f"k{n}",
            status="resolved",
            starts_at=at,
            fired_at=at,
            updated_at=at,
            resolved_at=at + timedelta(minutes=3),
            labels={**alert.labels, "domain": ("investor", "ecommerce", "insurance")[n % 3]},
        )
        rows.append(alert_row(old, False))
        events += [
            {"alert": old.number, "at": at.timestamp(), "reason": reason, "detail": ""}
            for reason in ("condition_true", "condition_false")
        ]
        messages.append(
            {
                "key": f"m{n}",
                "kind": "alert",
                "receiver": "data-team",
                "channel": "data-team/0-file",
                "recipient": "x",
                "severity": "high",
                "rank": 3,
                "reason": "first_notification",
                "group_key": "g",
                "firing": [old.number],
                "resolved": [],
                "payload": {},
                "created_at": at.timestamp(),
                "state": "delivered",
                "attempts": 1,
                "uncertain": 0,
                "next_attempt_at": at.timestamp(),
                "delivered_at": at.timestamp(),
                "last_error": "",
            }
        )
    with day.ledger.write() as connection:
        for start in range(0, count, 10_000):
            connection.execute(insert(alerts), rows[start : start + 10_000])
            connection.execute(insert(alert_events), events[2 * start : 2 * start + 20_000])
            connection.execute(insert(outbox), messages[start : start + 10_000])
    day.ledger.append(
        [
            Signal(
                "run.failure",
                OK,
                day.now - timedelta(minutes=n),
                day.now,
                str(n),
                value=0.0,
                pipeline=f"p{n % 9}",
                domain="investor",
            )
            for n in range(count // 10)
        ],
        now=day.now,
    )


def _runs(day: IncidentWorld) -> None:
    """Runs of Dagster as its storage keeps them, with the events of the last eight days."""
    folder = day.settings.dagster_home / "history"
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    (day.settings.dagster_home / "dagster.yaml").write_text("module: ops_project.dagster_bridge.storage\n")
    with closing(sqlite3.connect(folder / "runs.db")) as connection, connection:
        connection.execute(
            "create table runs (id integer primary key, run_id, pipeline_name, status, start_time, end_time, create_timestamp)"
        )
        connection.execute('create table run_tags (id integer primary key, run_id, "key", value)')
        connection.execute('create index of_run on run_tags (run_id, "key")')
        for n in range(RUN_DAYS * JOBS):
            began = day.now - timedelta(days=n // JOBS, minutes=10 + n % JOBS)
            ended, domain = began + timedelta(seconds=60 + n % 50), ("investor", "ecommerce", "insurance")[n % 3]
            row = (
                n,
                f"run{n}",
                f"{domain}_pipeline",
                "SUCCESS",
                began.timestamp(),
                ended.timestamp(),
                f"{began:%Y-%m-%d %H:%M:%S}",
            )
            connection.execute("insert into runs values (?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute("insert into run_tags values (?, ?, ?, ?)", (n, f"run{n}", DOMAIN_TAG, domain))
    for n in range(8 * JOBS):
        with closing(sqlite3.connect(folder / "runs" / f"run{n}.db")) as connection, connection:
            connection.execute("create table event_logs (dagster_event_type, step_key, event)")
            connection.executemany("insert into event_logs values (?, ?, ?)", _events(n))


def _events(run: int) -> Iterator[tuple[str, str, str]]:
    for n in range(100):
        entries = [{"label": "Execution Duration", "entry_data": {"value": n / 100}}]
        made = {"asset_key": {"path": ["gold", f"table_{(run * 100 + n) % ASSETS}"]}, "metadata_entries": entries}
        event = {"dagster_event": {"event_specific_data": {"materialization": made}}}
        yield "ASSET_MATERIALIZATION", f"step{n % 10}", json.dumps(event)
    for n in range(10):
        yield "STEP_SUCCESS", f"step{n}", json.dumps({"dagster_event": {"event_specific_data": {"duration_ms": 5e3}}})


def _snapshot(day: IncidentWorld) -> None:
    """A year of files of every feed, their column profiles, a month of scores of every table, and revenue."""
    folder = day.settings.snapshots / "000001-bench"
    folder.mkdir(parents=True)
    feeds = load(day.settings).feeds
    with duckdb.connect(str(folder / snapshots.DATABASE)) as connection:
        ensure_tables(connection, feeds.values())
        ensure(connection)
        connection.execute("create temp table days as select n::int as n from range(?) t(n)", [FILE_DAYS])
        for name, feed in feeds.items():
            connection.execute(
                "insert into ops.batches select ? || n, ?, ?, ? || n, null, null, 'x' || n, 1, "
                "timestamp '2026-03-04 05:00:00' - n * interval 1 day, date '2026-03-03' - n, n, 'loaded', 1, 100, "
                "100 - n % 7, n % 7, 0, 0, null, null, null, timestamp '2026-03-04 06:00:00', null, null, null from days",
                [name, name, feed.domain, name],
            )
        connection.execute(
            "create table ops.column_profiles as select feed || n as batch_id, feed, 'column_' || c as column_name, 100 as rows,"
            " 100 - n % 5 as filled, 9.0 as mean, 1.0 as low, 2.0 as tenth, 30.0 + n as median, 50.0 as ninetieth,"
            " 60.0 as high, null as counts, 'number' as kind from (select distinct feed from ops.batches), days, range(12) u(c)"
        )
        connection.execute("create schema if not exists gold")
        connection.execute(
            "insert into ops.quality_scores by name select 'gold' as table_schema, 'table_' || t as table_name,"
            " 'investor' as domain, timestamp '2026-03-04 06:00:00' - n * interval 1 day as as_of, 'r' as run_id,"
            " 99.0 as completeness, 98.0 as validity, 100.0 as uniqueness, null::double as consistency, 100.0 as timeliness,"
            " 90.0 + t % 10 as score, 100 as row_count from range(?) a(t), range(30) b(n)",
            [ASSETS],
        )
        connection.execute(
            "create table gold.daily_revenue as select date '2026-03-03' - n as order_date, 10 + n as total_orders,"
            " 1000.0 + n as gross_revenue, 990.0 as revenue_7d_avg, 100.0 as average_order_value from days"
        )
        connection.execute(
            "create table gold.data_anomalies as select order_date, gross_revenue as revenue, 1.0 as revenue_z_score,"
            " gross_revenue - 2 as expected_revenue, 12.0 as expected_order_count, 12 as order_count,"
            " 0.5 as orders_z_score, 'Normal' as status from gold.daily_revenue"
        )
    manifest = {"as_of": "2026-03-04T06:00:00+00:00", "tables": {}, "run_id": "r"}
    (folder / snapshots.MANIFEST).write_text(json.dumps(manifest))


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
    """Page → milliseconds of its first answer, the median of the next ones, the server's CPU for one, and its bound."""
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
    """What a page, a first paint and a report take, and the memory of the server. The size is always the full one."""
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
