"""Applies to an open incident what has happened to its alerts: they were acknowledged or resolved, or another service
escalates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ops_project.model.alerting.alert import RESOLVED, Alert
from ops_project.operations.incidents.decide.incident import TRIGGERED, Call, Incident, acknowledge, recover
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.turn import Turn


def follow_alerts(turn: Turn, incident: Incident, alerts: Mapping[int, Alert]) -> Incident:
    """Acknowledge or end an incident because its alerts were acknowledged or have ended. An alert that is no longer in
    the state of alerting has ended.
    """
    firing = tuple(n for n in incident.firing if n in alerts and alerts[n].status != RESOLVED)
    if firing != incident.firing:
        for number in sorted(set(incident.firing) - set(firing)):
            turn.note(incident.number, IncidentReason.ALERT_RESOLVED, f"alert {number}")
        incident = replace(incident, firing=firing)
    if not firing:
        ended, events = recover(incident, turn.now)
        turn.outcome.events += events
        if ended.paged:
            turn.call(_all_clear(turn, ended))
        return ended
    worst = [alerts[n] for n in firing if alerts[n].severity == incident.severity] or [alerts[n] for n in firing]
    given_back = incident.unacknowledged_at
    seen = [a for a in worst if a.acknowledged_at and (given_back is None or a.acknowledged_at > given_back)]
    if incident.status == TRIGGERED and len(seen) == len(worst):
        last = max(seen, key=lambda a: a.acknowledged_at or turn.now)
        incident, events = acknowledge(
            incident, last.acknowledged_by, last.acknowledged_note, last.acknowledged_at or turn.now
        )
        turn.outcome.events += events
    return incident


def _all_clear(turn: Turn, incident: Incident) -> Call:
    """The message that tells the people who were called that the incident has ended."""
    due = incident.postmortem_due
    return Call(
        incident=incident.number,
        kind="resolved",
        who=incident.paged,
        subject=f"[resolved] incident {incident.number}: {incident.title}",
        text=f"The incident is resolved: {incident.reason}. "
        + (f"A post-mortem is due by {due:%Y-%m-%d %H:%M} UTC." if due else "You need not do anything."),
        page=False,
        occurrence=f"{len(incident.times)}:{turn.now.isoformat()}",
    )


def follow_pagers(turn: Turn, incident: Incident) -> Incident:
    """Stop the ladder if a service that escalates by itself has received the page."""
    pagers = turn.setting.pagers
    taken = next((pagers[n] for n in incident.firing if n in pagers), "") if pagers else ""
    if taken and not incident.stands_down and incident.policy.steps:
        words = f"{taken} has the page and escalates by itself; ladder {incident.policy.ladder} calls nobody further"
        turn.note(incident.number, IncidentReason.STANDS_DOWN, words)
        return replace(incident, stands_down=taken)
    return incident
