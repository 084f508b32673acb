"""The rows of Dagster's SQLite event log, written with fewer statements than Dagster's own class uses."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as db
from dagster import DagsterEventType, EventLogEntry
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

ABOUT_ASSETS = frozenset({*ASSET_EVENTS, *ASSET_CHECK_EVENTS})
INDEXED = ABOUT_ASSETS | frozenset(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)
"""The types of events that are stored in the index too. The index is the file with the events of all runs."""

INSERT_EVENT = """
    INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
NOTE_EVALUATION = """
    UPDATE asset_check_executions SET
        execution_status = ?, evaluation_event = ?, evaluation_event_timestamp = ?, evaluation_event_storage_id = ?,
        materialization_event_storage_id = ?
    WHERE asset_key = ? AND check_name = ? AND run_id = ? AND partition IS ?
"""


def event_row(event: EventLogEntry, text: str) -> tuple[str | None, ...]:
    """The values of INSERT_EVENT, as SQLAlchemy would write them."""
    said = event.dagster_event
    return (
        event.run_id,
        text,
        said.event_type_value if said else None,
        datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None).isoformat(" ", "microseconds"),
        said.step_key if said else event.step_key,
        said.asset_key.to_string() if said and said.asset_key else None,
        said.partition or None if said else None,
    )


def is_noted(connection: db.Connection, event: EventLogEntry, row: tuple[str | None, ...], number: int) -> bool:
    """Note the outcome of a check in the one row that its run planned for the check. Returns True if this was done.

    Returns False if the event is not an outcome, or if the run did not plan exactly one row for the check. Then the
    stock class has to write the outcome.
    """
    if event.dagster_event_type != DagsterEventType.ASSET_CHECK_EVALUATION or not event.run_id:
        return False
    said = event.asset_check_evaluation
    assert said is not None
    status = AssetCheckExecutionRecordStatus.SUCCEEDED if said.passed else AssetCheckExecutionRecordStatus.FAILED
    target = said.target_materialization_data
    done = connection.exec_driver_sql(
        NOTE_EVALUATION,
        (
            status.value,
            row[1],
            row[3],
            number,
            target.storage_id if target else None,
            said.asset_key.to_string(),
            said.check_name,
            event.run_id,
            said.partition,
        ),
    )
    return done.rowcount == 1


def texts_about_assets(connection: db.Connection, run_id: str) -> list[str]:
    """The events of a run about assets and checks, as they are stored, in their order."""
    kinds = sorted(kind.value for kind in ABOUT_ASSETS)
    found = connection.exec_driver_sql(
        f"SELECT event FROM event_logs WHERE run_id = ? AND dagster_event_type IN ({', '.join('?' * len(kinds))}) "
        "ORDER BY id",
        (run_id, *kinds),
    )
    return [str(text) for (text,) in found]
