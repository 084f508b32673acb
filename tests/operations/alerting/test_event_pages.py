"""Dagster's event log is read once: on SQLite nothing is read a second time at the next look."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from ops_project.dagster_bridge.storage import EventLog
from ops_project.lineage import Lineage
from ops_project.operations.alerting.dagster import events
from tests.operations.ledger.test_ledger import NOW


def _entry(n: int) -> EventLogEntry:
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=f"{n % 3:032d}",
        timestamp=NOW.timestamp() + n,
        dagster_event=DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name="job", message=str(n)),
    )


@pytest.mark.parametrize("storage", [EventLog, SqliteEventLogStorage])
def test_an_idle_look_reads_nothing_again(tmp_path, storage):
    log = storage(str(tmp_path))
    for n in range(60):
        log.store_event(_entry(n))
    instance = SimpleNamespace(event_log_storage=log)
    first = events.read(instance, 0, NOW, Lineage())
    again = events.read(instance, first.cursor, NOW, Lineage())
    log.dispose()
    assert (first.read, again.read, again.cursor) == (60, 0, first.cursor)
