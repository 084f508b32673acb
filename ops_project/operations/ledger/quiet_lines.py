"""The lines of a timeline that say that a route is quiet."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import Event
from ops_project.operations.ledger.schema import alert_events

QUIET_TIMES = frozenset({AlertReason.MUTED_BY_TIME, AlertReason.OUTSIDE_ACTIVE_TIME})


def news(connection: Connection, events: Iterable[Event]) -> list[Event]:
    """These events without repeated lines about quiet routes. A line is left out if the same line was written since the
    last line of another kind in the timeline of its alert.

    Each flush of a quiet route gives such a line. So without this function, an alert would get hundreds of equal lines
    on a holiday.
    """
    events = list(events)
    quiet = sorted({event.alert for event in events if event.reason in QUIET_TIMES})
    known: dict[int, set[tuple[AlertReason, str]]] = {}
    if quiet:
        names = [reason.value for reason in QUIET_TIMES]
        other = alert_events.alias()
        before = (
            select(func.max(other.c.id))
            .where(other.c.alert == alert_events.c.alert, other.c.reason.not_in(names))
            .scalar_subquery()
        )
        found = select(alert_events.c.alert, alert_events.c.reason, alert_events.c.detail).where(
            alert_events.c.alert.in_(quiet),
            alert_events.c.reason.in_(names),
            alert_events.c.id > func.coalesce(before, 0),
        )
        for row in connection.execute(found):
            known.setdefault(row.alert, set()).add((AlertReason(row.reason), row.detail))
    kept = []
    for event in events:
        said = known.setdefault(event.alert, set())
        if event.reason not in QUIET_TIMES:
            said.clear()
        elif (event.reason, event.detail) in said:
            continue
        else:
            said.add((event.reason, event.detail))
        kept.append(event)
    return kept
