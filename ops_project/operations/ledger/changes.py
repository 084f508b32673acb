"""A mark that changes whenever something changes that people see: alerts, incidents, silences, holds, the rota."""

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
    """Reads the newest entry of each table."""

    def newest_change(self) -> str:
        """The mark. It costs one look at the end of each table."""
        with self.read() as connection:
            return ".".join(str(connection.execute(select(func.max(column))).scalar() or 0) for column in _NEWEST)
