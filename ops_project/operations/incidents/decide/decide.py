"""Decides which incidents are opened, joined, reopened, acknowledged, escalated and ended in one turn. A turn is one
decision about all incidents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.operations.incidents.decide.book import Book
from ops_project.operations.incidents.decide.clock import bounded
from ops_project.operations.incidents.decide.following import follow_alerts, follow_pagers
from ops_project.operations.incidents.decide.incident import Incident, Outcome
from ops_project.operations.incidents.decide.ladder import climb
from ops_project.operations.incidents.decide.overdue import next_reminder, remind
from ops_project.operations.incidents.decide.placing import place
from ops_project.operations.incidents.decide.setting import Setting
from ops_project.operations.incidents.decide.turn import Turn


def decide(
    incidents: Mapping[int, Incident],
    alerts: Sequence[Alert],
    *,
    known: Mapping[int, int],
    next_number: int,
    setting: Setting,
    now: datetime,
) -> Outcome:
    """Decide one turn.

    `incidents`: those that are open, may be reopened, or still need a post-mortem. `alerts`: all alerts in the state of
    alerting. `known`: number of an alert → number of its incident, for every alert that has one.
    """
    stored, incidents = incidents, {number: bounded(incident, now) for number, incident in incidents.items()}
    counted = {(incident.number, alert) for incident in incidents.values() for alert in incident.firing}
    turn = Turn(
        setting=setting,
        now=now,
        book=Book(incidents.values()),
        known=known,
        next_number=next_number,
        counted=counted,
    )
    by_number = {alert.number: alert for alert in alerts}
    for alert in sorted(alerts, key=lambda a: (a.fired_at or a.starts_at, a.number)):
        if alert.status == FIRING and not (alert.muted and alert.cause is None):
            place(turn, alert)
    for incident in turn.book:
        after = incident
        if after.open:
            after = follow_alerts(turn, after, by_number)
        if after.open:
            after = climb(turn, follow_pagers(turn, after))
        after = remind(turn, after)
        if after != stored.get(incident.number):
            turn.outcome.changed[incident.number] = after
    return turn.outcome


def next_due(incidents: Iterable[Incident]) -> datetime | None:
    """The next moment at which something is due even without a new signal; None if nothing will be due without a
    signal.
    """
    due = (at for incident in incidents for at in (incident.step_due(), next_reminder(incident)))
    return min((at for at in due if at is not None), default=None)
