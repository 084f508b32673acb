"""Observer: Dagster's event log."""

from __future__ import annotations

from ops_project.operations.alerting.dagster import events
from ops_project.operations.alerting.observers.observer import Observation, View


def look(view: View) -> Observation:
    """The next page of the log. A home's first look begins at the log's start: nothing that failed there was ever
    told."""
    cursor = int(view.cursors.get(events.CURSOR, "0"))
    page = events.read(view.instance, cursor, view.now, view.lineage, view.settings.as_of)
    if page.cursor == cursor:
        return Observation()
    return Observation(page.signals, {events.CURSOR: str(page.cursor)}, more=page.full)
