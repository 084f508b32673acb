"""Opens an incident, or reopens one whose fault has come back. If a fault comes back too often, the project manager is
informed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ops_project.counted import counted
from ops_project.model.alerting.alert import Alert
from ops_project.operations.incidents.decide.incident import TRIGGERED, Incident, reopen
from ops_project.operations.incidents.decide.ladder import freeze
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.turn import Message, Turn


def open_incident(turn: Turn, alert: Alert, priority: str) -> Incident:
    """Open a new incident, with a copy of the present policy."""
    setting, now, number = turn.setting, turn.now, turn.next_number
    turn.next_number += 1
    pipeline, domain = setting.pipeline_of(alert), alert.labels.get("domain", "")
    policy = freeze(
        setting.escalation,
        pipeline=pipeline,
        domain=domain,
        failure_class=alert.failure_class,
        severity=alert.severity,
        priority=priority,
    )
    # The fault may have come back too late for its earlier incident to be reopened. It still counts as a repeat.
    earlier = turn.book.with_key(alert.key)
    before = {at for other in earlier for at in other.times}
    incident = Incident(
        number=number,
        status=TRIGGERED,
        priority=priority,
        severity=alert.severity,
        title=alert.summary,
        domain=domain,
        pipeline=pipeline,
        owner=next(iter(alert.owners), ""),
        failure_class=alert.failure_class,
        runbook=setting.runbooks.get(alert.number, ""),
        assets=setting.assets_of(alert),
        policy=policy,
        opened_at=now,
        triggered_at=now,
        alerts=(alert.number,),
        firing=(alert.number,),
        keys=(alert.key,),
        times=(*sorted(before), now),
        repeat_told=any(other.repeat_told for other in earlier),
    )
    turn.outcome.joined[alert.number] = (number, alert.key)
    called = f"ladder {policy.ladder} says who is called" if policy.ladder else "only its owners are told"
    turn.note(number, IncidentReason.OPENED, f"{priority}, alert {alert.number}: {alert.summary}; {called}")
    if not policy.ladder:
        turn.note(number, IncidentReason.NO_LADDER, f"severity {alert.severity}: only its owners are told")
    return _repeats(turn, incident)


def reopen_incident(turn: Turn, incident: Incident, alert: Alert) -> Incident:
    """Reopen an incident. Its ladder starts again."""
    opened = reopen(incident, turn.now)
    opened = replace(opened, alerts=opened.with_alert(alert.number), firing=(alert.number,))
    turn.outcome.joined[alert.number] = (incident.number, alert.key)
    turn.note(incident.number, IncidentReason.REOPENED, f"alert {alert.number}: {alert.summary}")
    return _repeats(turn, opened)


def _repeats(turn: Turn, incident: Incident) -> Incident:
    """Inform the project manager, once, when the number of repeats reaches its limit."""
    since = turn.now - timedelta(seconds=incident.policy.repeats_seconds)
    repeats = sum(at > since for at in incident.times) - 1
    if repeats < incident.policy.repeats:
        return replace(incident, repeat_told=False)
    if incident.repeat_told:
        return incident
    words = f"{counted(repeats, 'repeat')} within {counted(int(incident.policy.repeats_seconds // 86400), 'day')}"
    message = Message(
        kind="repeat",
        words=words,
        subject="[repeated]",
        text=f"The same fault has come back: {words}. Find out why the repairs do not last.",
        occurrence=f"{len(incident.times)}",
    )
    turn.inform(incident, incident.policy.repeats_to, IncidentReason.REPEATED, message)
    return replace(incident, repeat_told=True)
