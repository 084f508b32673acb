"""The large home on which the console is measured."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb

from ops_project.catalog import load
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.ledger.lineage_document import remember
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.learning.tables import ensure
from ops_project.pipeline.warehouse import snapshots
from tests.operations.incidents.world import IncidentWorld

PAST, ASSETS, OPEN = 100_000, 1_000, 50
RUN_DAYS, JOBS, FILE_DAYS = 90, 6, 365


def home(folder: Path, past: int = PAST, assets: int = ASSETS, incidents: int = OPEN) -> IncidentWorld:
    """A large home: `past` alerts that have ended, `assets` assets and `incidents` open incidents, with runs and a
    snapshot.
    """
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
