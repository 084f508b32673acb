"""Observer of snapshots: reports the findings of the newest snapshot of the warehouse, and the metrics whose SQL reads
it. Each snapshot is read once. It is read again if the configured feeds have changed.

A closed finding gives an ok signal. A finding of a feed that is no longer configured or is switched off gives an ok
signal too, because no later file will close it.

A metric whose tables are absent is unknown and gives no signal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import duckdb

from ops_project.model.alerting.metric import Metric
from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.model.finding import LOADED, WHOLE
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.time_limit import limited
from ops_project.sql_text import literal, relation

CURSOR = "snapshot"
FINDINGS = """
    SELECT finding_id, kind, findings.feed, asset, findings.business_date, batch_id, findings.file_name,
           findings.message, state, observed_at, resolved_at, findings.run_id, archive_path,
           bool_and(
               coalesce(kind = 'schema_mismatch' AND status = 'loaded' AND rows_quarantined = 0
                        AND (findings.evidence ->> '$.absent') = '[]', false)
           ) FILTER (state = 'open')
             OVER (PARTITION BY kind, findings.feed, asset, findings.business_date) AS is_whole
    FROM ops.findings AS findings
    LEFT JOIN ops.batches USING (batch_id)
    WHERE state = 'open' OR resolved_at >= $since
    ORDER BY observed_at, finding_id
"""
"""`is_whole`: the structure of the file differs from its contract, but nothing of the file was lost. The file was
loaded, it lacks no column of the contract, and none of its rows was refused. So it only has further columns, or another
order of columns. A file in another encoding is never whole, because its text is loaded but wrong. All open findings of
a kind, a table and a date share one signal, so all of them must be whole.
"""
GONE = "feed_gone"
FIXED = frozenset(
    {"value", "total", "asset", "partition", "check_name", "domain", "message", "event_at", "batch_id", "occurrence"}
)
# A finding that was resolved longer ago than this has already been reported.
LOOK_BACK_DAYS = 14
METRIC = "metric "
"""Each metric is one part of this observer. The name of the part is this word and the name of the metric."""
QUERY_SECONDS = 20.0
"""The time limit of one metric's query. The shipped queries take a tenth of a second."""


def look(view: View) -> Observation:
    """The signals of the newest snapshot; nothing if it has been read before. Raises SnapshotUnusable."""
    if words := snapshots.unreadable(view.settings):
        raise snapshots.SnapshotUnusable(words)
    try:
        snapshot = snapshots.newest(view.settings)
    except snapshots.NoSnapshot:
        return Observation()
    looked_at = f"{snapshot.id} {digest(*sorted(_feeds(view)))}"
    if view.cursors.get(CURSOR) == looked_at:
        return Observation()
    signals: list[Signal] = []
    failed: dict[str, str] = {}
    well: set[str] = set()

    def part(name: str, ask: Callable[[], list[Signal]]) -> None:
        """Run one part. If it fails, the failure is reported, and the other parts are still run."""
        try:
            # A query that never ends would delay the alerts of every other metric.
            with limited(connection, QUERY_SECONDS):
                signals.extend(ask())
            well.add(name)
        except duckdb.InterruptException:
            failed[name] = f"it takes longer than {QUERY_SECONDS:g} s"
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"

    connection = snapshots.open(snapshot)
    try:
        known = {
            f"{schema}.{table}"
            for schema, table in connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
            ).fetchall()
        }
        if "ops.findings" in known:
            signals += _findings(view, snapshot, connection)
        runs = _last_builds(view)
        asked = {f"{METRIC}{kind}" for kind, metric in view.catalog.metrics.metrics.items() if metric.sql is not None}
        for kind, metric in view.catalog.metrics.metrics.items():
            if metric.sql is not None and known.issuperset(metric.tables):
                part(f"{METRIC}{kind}", partial(_metric, view, snapshot, connection, kind, metric=metric, runs=runs))
        part("sizes of tables", partial(_sizes, view, snapshot, connection))
        # When a metric is removed, its failure ends.
        well |= {name for name in _failing(view) if name.startswith(METRIC) and name not in asked}
    finally:
        connection.close()
    return Observation(signals, {CURSOR: looked_at}, failed=failed, well=frozenset(well))


def _failing(view: View) -> set[str]:
    """The parts of this observer that failed in the last cycle."""
    before = "failing:snapshot: "
    return {name.removeprefix(before) for name, on in view.cursors.items() if on and name.startswith(before)}


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _findings(view: View, snapshot: snapshots.Snapshot, connection: duckdb.DuckDBPyConnection) -> list[Signal]:
    since = snapshot.as_of.replace(tzinfo=None)
    rows = connection.execute(
        FINDINGS.replace("$since", f"TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}' - INTERVAL {LOOK_BACK_DAYS} DAY")
    ).fetchall()
    configured = _feeds(view)
    closed_without_feed = {
        signal.fingerprint
        for signal in view.ledger.latest("landing.finding").values()
        if signal.state == OK and GONE in signal.occurrence
    }
    # A finding may have been opened and resolved several times. The newest state counts. If two states have the same
    # time, `firing` counts.
    result: dict[str, tuple[datetime, bool, Signal]] = {}
    for row in rows:
        finding, kind, feed, asset, business_date, batch, file_name, message, state, observed, resolved, run, *more = (
            row
        )
        kept, is_whole = more
        is_gone = state == "open" and bool(feed) and feed not in configured
        open_now = state == "open" and not is_gone
        at = view.now if is_gone else _utc(observed if open_now else resolved or observed) or snapshot.as_of
        subject = _asset(asset, feed)
        facts = view.lineage.get(subject)
        feed_model = view.catalog.feeds.get(feed or "")
        owners = facts.owners or tuple(
            view.catalog.owners.dagster(owner) for owner in (feed_model.owners if feed_model is not None else ())
        )
        signal = view.state(
            "landing.finding",
            open_now,
            at=at,
            occurrence=f"{finding}:{GONE if is_gone else state}:{at.isoformat()}",
            asset=subject,
            check=kind,
            partition=str(business_date or ""),
            owners=owners,
            domain=facts.domain or (feed_model.domain if feed_model is not None else ""),
            run_id=run or "",
            batch_id=batch or "",
            failure_class=kind,
            message=f"feed {feed} is no longer configured, or is switched off; before: {message}"
            if is_gone
            else message,
            evidence_ref=f"ops.findings/{finding}",
            labels={
                "finding": kind,
                "feed": feed or "",
                **({"file": file_name} if file_name else {}),
                **({"archived": str(view.settings.archive / kept)} if kept else {}),
                **({LOADED: WHOLE} if is_whole else {}),
            },
        )
        if is_gone and signal.fingerprint in closed_without_feed:
            continue
        if open_now and signal.fingerprint in closed_without_feed:
            # The feed is configured again, and its finding was open all the time. So the finding is reported again.
            signal = replace(signal, event_at=view.now, occurrence=f"{signal.occurrence}:again:{view.now.isoformat()}")
        rank = (at, open_now)
        if signal.fingerprint not in result or rank >= result[signal.fingerprint][:2]:
            result[signal.fingerprint] = (at, open_now, signal)
    return [signal for _, _, signal in result.values()]


def _feeds(view: View) -> set[str]:
    """The feeds that are configured and switched on."""
    return {name for name, feed in view.catalog.feeds.items() if feed.enabled}


def _asset(asset: str | None, feed: str | None) -> str:
    return asset.replace(".", "/") if asset else f"bronze/{feed}" if feed else ""


def _last_builds(view: View) -> dict[str, str]:
    """Asset → the run that built it last. The run of a snapshot built only some of the snapshot's tables."""
    built = view.ledger.latest("asset.failure").values()
    return {s.asset: s.run_id for s in built if s.state == OK and not s.partition}


def _sizes(view: View, snapshot: snapshots.Snapshot, connection: duckdb.DuckDBPyConnection) -> list[Signal]:
    """The bytes of each table: the blocks that it uses in the file. The query takes 66 ms for 47 tables."""
    [block] = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()[0]
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE schema_name IN ('bronze', 'silver', 'gold') ORDER BY ALL"
    ).fetchall()
    before = {s.asset: s.value for s in view.ledger.latest("storage.asset_bytes").values()}
    found = []
    for schema, table in tables:
        quoted = literal(relation(f"{schema}.{table}"))
        row = connection.execute(
            f"SELECT count(DISTINCT block) FROM (SELECT block_id AS block FROM pragma_storage_info({quoted}) WHERE "
            f"block_id >= 0 UNION ALL SELECT unnest(additional_block_ids) FROM pragma_storage_info({quoted}))"
        ).fetchone()
        asset, size = f"{schema}/{table}", float((row[0] if row else 0) * block)
        if size != before.get(asset):
            facts = view.lineage.get(asset)
            found.append(
                view.reading(
                    "storage.asset_bytes",
                    size,
                    at=snapshot.as_of,
                    occurrence=snapshot.id,
                    asset=asset,
                    domain=facts.domain,
                    owners=facts.owners,
                )
            )
    here = {f"{schema}/{table}" for schema, table in tables}
    dropped = sorted(asset for asset, size in before.items() if size and asset not in here)
    return found + [
        view.reading("storage.asset_bytes", 0.0, at=snapshot.as_of, occurrence=snapshot.id, asset=asset)
        for asset in dropped
    ]


def _metric(
    view: View,
    snapshot: snapshots.Snapshot,
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    *,
    metric: Metric,
    runs: Mapping[str, str],
) -> list[Signal]:
    assert metric.sql is not None
    as_of = snapshot.as_of.astimezone(UTC)
    sql = re.sub(r"\$as_of\b", f"TIMESTAMP '{as_of:%Y-%m-%d %H:%M:%S}'", metric.sql)
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [
        _reading(view, snapshot, kind, metric=metric, row=dict(zip(names, row, strict=True)), runs=runs)
        for row in cursor.fetchall()
    ]


def _reading(
    view: View, snapshot: snapshots.Snapshot, kind: str, *, metric: Metric, row: dict[str, Any], runs: Mapping[str, str]
) -> Signal:
    value = row.get("value")
    asset = str(row.get("asset") or "")
    facts = view.lineage.get(asset)
    labels = {name: str(item) for name, item in row.items() if name not in FIXED and item is not None}
    if value is None:
        labels["unknown"] = "true"
    return Signal(
        kind=kind,
        state=FIRING if metric.type != "gauge" and value else OK,
        value=None if value is None else float(value),
        total=None if row.get("total") is None else float(row["total"]),
        event_at=_utc(row.get("event_at")) or snapshot.as_of,
        observed_at=view.now,
        occurrence=str(row.get("occurrence") or snapshot.id),
        domain=str(row.get("domain") or facts.domain),
        asset=asset,
        partition=str(row.get("partition") or ""),
        check=str(row.get("check_name") or ""),
        owners=facts.owners,
        batch_id=str(row.get("batch_id") or ""),
        run_id=runs.get(asset, ""),
        failure_class=metric.failure_class or "",
        message=str(row.get("message") or ""),
        evidence_ref=f"snapshot/{snapshot.id}",
        labels=labels,
    )
