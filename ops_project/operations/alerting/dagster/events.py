"""The one reader of Dagster's event log across runs: a durable cursor, and what each event means.

It uses `get_logs_for_all_runs_by_log_id`, which is not public, because `get_event_records` refuses an integer cursor
for checks on the sharded SQLite storage. Measured: 500 events in 26 ms out of 128,000, an empty poll 3 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage, SqliteEventLogStorage

from ops_project.dagster_bridge.asset_graph import asset_name
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.dagster.run_signals import signals_of_run, signals_of_terminated

CURSOR = "dagster_events"
BATCH = 500
# On PostgreSQL, ids can become visible out of order. So the last ids are read again; a signal that is already stored is
# not stored twice.
OVERLAP = 50
SHOWN_CHECK = "open_alerts"
"""The check that shows open alerts on an asset. Its results are not read back as signals."""
FRESHNESS_VALUES = {"PASS": 0.0, "WARN": 1.0, "FAIL": 2.0}
VIOLATION_METADATA = ("reference_violations", "dagster_dbt/failed_row_count", "failed_rows")
REFERENCE_WORDS = ("relationships", "reference")


@dataclass(frozen=True)
class EventPage:
    """The signals of a part of the log, and the cursor after it."""

    signals: list[Signal]
    cursor: int
    read: int
    full: bool
    """Whether there may be more events."""


def read(
    instance: dg.DagsterInstance, after: int, now: datetime, lineage: Lineage, as_of: datetime | None = None
) -> EventPage:
    """The next events after the cursor `after`. `as_of`: in a replay, the time that all of them get."""
    overlap = OVERLAP if after > 0 and not _is_sqlite(instance) else 0
    found = instance.event_log_storage.get_logs_for_all_runs_by_log_id(
        after_cursor=max(after - overlap, 0) if after > 0 else -1, limit=BATCH + overlap
    )
    signals: list[Signal] = []
    for storage_id, entry in found.items():
        if entry.dagster_event is not None:
            at = as_of or datetime.fromtimestamp(entry.timestamp, UTC)
            signals += _signals(instance, storage_id, entry, at=at, now=now, lineage=lineage)
    cursor = max(found, default=after)
    return EventPage(signals, max(cursor, after), len(found), len(found) >= BATCH + overlap)


def _is_sqlite(instance: dg.DagsterInstance) -> bool:
    """Whether event ids become visible in their order. They do in SQLite, which has one writer at a time."""
    return isinstance(instance.event_log_storage, SqliteEventLogStorage | ConsolidatedSqliteEventLogStorage)


def _signals(
    instance: dg.DagsterInstance, storage_id: int, entry: Any, *, at: datetime, now: datetime, lineage: Lineage
) -> list[Signal]:
    event = entry.dagster_event
    kind = event.event_type
    if kind in (DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_CANCELED):
        run = instance.get_run_by_id(entry.run_id)
        if run is None:
            return []
        if kind == DagsterEventType.RUN_CANCELED:
            return signals_of_terminated(run, at, now, lineage)
        return signals_of_run(
            instance, run, succeeded=kind == DagsterEventType.RUN_SUCCESS, at=at, now=now, lineage=lineage
        )
    if kind == DagsterEventType.ASSET_MATERIALIZATION:
        return _materialized(entry, at, now, lineage)
    if kind == DagsterEventType.ASSET_OBSERVATION:
        return _observed(storage_id, entry, at, now, lineage)
    if kind == DagsterEventType.ASSET_CHECK_EVALUATION:
        return _evaluated(storage_id, entry, at, now, lineage)
    if kind == DagsterEventType.FRESHNESS_STATE_CHANGE:
        return _freshness(storage_id, event.event_specific_data, at, now, lineage)
    return []


def _materialized(entry: Any, at: datetime, now: datetime, lineage: Lineage) -> list[Signal]:
    found = entry.dagster_event.step_materialization_data.materialization
    asset = asset_name(found.asset_key)
    facts = lineage.get(asset)
    common: dict[str, Any] = {
        "event_at": at,
        "observed_at": now,
        "asset": asset,
        "domain": facts.domain,
        "owners": facts.owners,
        "run_id": entry.run_id,
        "pipeline": entry.job_name or "",
    }
    # A build repairs the failure of its own partition, and a failure that was about no single partition.
    partitions = {"", found.partition or ""}
    signals = [
        Signal(kind="asset.failure", state=OK, value=0.0, partition=partition, occurrence=entry.run_id, **common)
        for partition in sorted(partitions)
    ]
    signals += _throttled(found, f"{entry.run_id}:{found.partition or ''}", common)
    return signals


def _observed(storage_id: int, entry: Any, at: datetime, now: datetime, lineage: Lineage) -> list[Signal]:
    """A load of the serving store that failed reports its refused requests by an observation, because it built
    nothing.
    """
    found = entry.dagster_event.asset_observation_data.asset_observation
    facts = lineage.get(asset_name(found.asset_key))
    common: dict[str, Any] = {
        "event_at": at,
        "observed_at": now,
        "asset": asset_name(found.asset_key),
        "domain": facts.domain,
        "owners": facts.owners,
        "run_id": entry.run_id,
        "pipeline": entry.job_name or "",
    }
    return _throttled(found, f"event:{storage_id}", common)


def _throttled(found: Any, occurrence: str, common: Mapping[str, Any]) -> list[Signal]:
    throttled = _number(found.metadata, ("throttled_requests",))
    if throttled is None:
        return []
    return [
        Signal(
            kind="serving.throttled_requests",
            state=FIRING if throttled else OK,
            value=throttled,
            partition=found.partition or "",
            occurrence=occurrence,
            **common,
        )
    ]


def _evaluated(storage_id: int, entry: Any, at: datetime, now: datetime, lineage: Lineage) -> list[Signal]:
    data = entry.dagster_event.asset_check_evaluation_data
    if data.check_name == SHOWN_CHECK:
        return []
    asset = asset_name(data.asset_key)
    facts = lineage.get(asset)
    failed = not data.passed and data.severity == dg.AssetCheckSeverity.ERROR
    warned = not data.passed and not failed
    common: dict[str, Any] = {
        "event_at": at,
        "observed_at": now,
        "asset": asset,
        "check": data.check_name,
        "partition": data.partition or "",
        "domain": facts.domain,
        "owners": facts.owners,
        "run_id": entry.run_id,
        "pipeline": entry.job_name or "",
        "occurrence": f"event:{storage_id}",
        "message": data.description or _said(data.metadata),
        "labels": {"blocking": "true" if data.blocking else "false", **_dates(data.metadata), **_column(data.metadata)},
    }
    failure_class = _text(data.metadata, "failure_class")
    if _text(data.metadata, "status") == "unknown":
        # The check ran and could not tell the result. This neither repairs anything nor breaks anything.
        return [Signal(kind="check.crash", state=OK, value=0.0, **common)]
    broken = "reconciliation.break" if _text(data.metadata, "kind") == "reconciliation" else "check.failure"
    signals = [
        Signal(kind=broken, state=FIRING if failed else OK, value=float(failed), failure_class=failure_class, **common),
        Signal(
            kind="check.warning",
            state=FIRING if warned else OK,
            value=float(warned),
            failure_class=failure_class,
            **common,
        ),
        Signal(kind="check.crash", state=OK, value=0.0, **common),
    ]
    if any(word in data.check_name for word in REFERENCE_WORDS):
        violations = 0.0 if data.passed else _number(data.metadata, VIOLATION_METADATA)
        if violations is not None:
            signals.append(
                Signal(kind="reference.violations", state=FIRING if violations else OK, value=violations, **common)
            )
    return signals


def _freshness(storage_id: int, change: Any, at: datetime, now: datetime, lineage: Lineage) -> list[Signal]:
    value = FRESHNESS_VALUES.get(change.new_state.value)
    # UNKNOWN and NOT_APPLICABLE give no signal: Dagster's first pass emits one of them for every asset.
    if value is None:
        return []
    asset = asset_name(change.key)
    facts = lineage.get(asset)
    return [
        Signal(
            kind="freshness.state",
            state=OK,
            value=value,
            asset=asset,
            domain=facts.domain,
            owners=facts.owners,
            event_at=at,
            observed_at=now,
            occurrence=f"event:{storage_id}",
            message=f"was {change.previous_state.value}, is {change.new_state.value}",
        )
    ]


def _number(metadata: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    for key in names:
        value = getattr(metadata.get(key), "value", None)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _text(metadata: Mapping[str, Any], key: str) -> str:
    value = getattr(metadata.get(key), "value", None)
    return value if isinstance(value, str) else ""


def _dates(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The business dates that a check reports. A verdict can exclude them from the training of the check."""
    value = getattr(metadata.get("dates"), "value", None)
    if not isinstance(value, list) or not value:
        return {}
    days = [str(day) for day in value]
    # A result that is about a single date has that date as its partition, as a finding about that date's file has.
    return {"dates": ",".join(days), **({"partition": days[0]} if len(days) == 1 else {})}


def _column(metadata: Mapping[str, Any]) -> dict[str, str]:
    name = _text(metadata, "column")
    return {"column": name} if name else {}


def _said(metadata: Mapping[str, Any]) -> str:
    shown = []
    for key, value in metadata.items():
        plain = getattr(value, "value", None)
        if isinstance(plain, str | int | float) and len(str(plain)) < 200 and not key.startswith("dagster/"):
            shown.append(f"{key}: {plain}")
    return "; ".join(shown[:6])
