"""Gives a mark that changes whenever an alert or incident changes, or a person does something that is recorded."""

from __future__ import annotations

from sqlalchemy import func, select

from ops_project.operations.ledger.access import Access
from ops_project.operations.ledger.people_schema import (
    audit,
    holds,
    incident_events,
    incident_evidence,
    oncall_overrides,
    oncall_swaps,
)
from ops_project.operations.ledger.schema import alert_events, silences

_NEWEST = (
    alert_events.c.id,
    incident_events.c.id,
    incident_evidence.c.id,
    audit.c.id,
    silences.c.number,
    holds.c.number,
    oncall_overrides.c.number,
    oncall_swaps.c.number,
)


class ChangeTable(Access):
    """Reads the number of the newest row of each table."""

    def newest_change(self) -> str:
        """The mark: the number of the newest row of each table, joined by dots."""
        with self.read() as connection:
            return ".".join(str(connection.execute(select(func.max(column))).scalar() or 0) for column in _NEWEST)
