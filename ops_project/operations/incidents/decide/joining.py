"""Adds an alert to an open incident. If the alert is more severe, the incident's priority rises."""

from __future__ import annotations

from dataclasses import replace

from ops_project.model.alerting.alert import Alert
from ops_project.model.severity import RANK
from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.incidents.decide.ladder import freeze
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.turn import Turn


def join(turn: Turn, incident: Incident, alert: Alert, priority: str) -> Incident:
    """The incident with this alert added. Of the alert's assets, only those upstream are added to the incident, because
    those downstream are found through the graph. Without a `priority` the alert is listed, and does not keep the
    incident open: such an alert can fire for days after the repair.
    """
    lineage = turn.setting.lineage
    upstream = tuple(
        asset
        for asset in turn.setting.assets_of(alert)
        if asset not in incident.assets and any(root in lineage.descendants(asset) for root in incident.assets)
    )
    known = turn.book.has_key(incident, alert.key)
    joined = replace(
        incident,
        alerts=incident.with_alert(alert.number),
        firing=(*incident.firing, alert.number) if priority else incident.firing,
        keys=incident.keys if known else (*incident.keys, alert.key),
        assets=(*incident.assets, *upstream),
    )
    turn.outcome.joined[alert.number] = (incident.number, alert.key)
    turn.note(incident.number, IncidentReason.ALERT_JOINED, f"alert {alert.number}: {alert.summary}")
    return _raise(turn, joined, alert, priority) if RANK[alert.severity] > RANK[incident.severity] else joined


def _raise(turn: Turn, incident: Incident, alert: Alert, priority: str) -> Incident:
    """The incident after a more severe alert has joined: its priority rises. If it had no ladder until now, and a
    ladder applies to the higher priority, that ladder begins.
    """
    graver = min(filter(None, (priority, incident.priority)), default=incident.priority)
    policy = freeze(
        turn.setting.escalation,
        pipeline=incident.pipeline,
        domain=incident.domain,
        failure_class=incident.failure_class,
        severity=alert.severity,
        priority=graver,
    )
    raised = replace(incident, severity=alert.severity, priority=graver)
    if policy.ladder and not incident.policy.ladder:
        raised = replace(raised, policy=policy, triggered_at=turn.now, step=0, paused_seconds=0.0)
        if raised.acknowledged_at is not None:
            raised = replace(raised, acknowledged_at=turn.now)
    elif policy.postmortem_seconds is not None:
        raised = replace(raised, policy=replace(raised.policy, postmortem_seconds=policy.postmortem_seconds))
    turn.note(incident.number, IncidentReason.RAISED, f"{incident.priority} to {graver} by alert {alert.number}")
    return raised
