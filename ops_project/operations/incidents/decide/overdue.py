"""Reminds people of a post-mortem that is late. The configuration says who gets each reminder."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.turn import Message, Turn


def next_reminder(incident: Incident) -> datetime | None:
    """When the next reminder is due; None if no reminder is left."""
    left = incident.policy.overdue[incident.postmortem_told :]
    if incident.postmortem_due is None or incident.postmortem_at is not None or not left:
        return None
    return incident.postmortem_due + timedelta(seconds=left[0][0])


def remind(turn: Turn, incident: Incident) -> Incident:
    """Send every reminder that is due."""
    while (at := next_reminder(incident)) is not None and at <= turn.now:
        _, to = incident.policy.overdue[incident.postmortem_told]
        words = f"was due {incident.postmortem_due:%Y-%m-%d %H:%M} UTC"
        message = Message(
            kind="postmortem",
            words=words,
            subject="[overdue] post-mortem of",
            text=f"The post-mortem {words}. Its draft: `ops incidents postmortem {incident.number}`.",
            occurrence=f"{len(incident.times)}:{incident.postmortem_told}",
        )
        turn.inform(incident, to, IncidentReason.POSTMORTEM_OVERDUE, message)
        incident = replace(incident, postmortem_told=incident.postmortem_told + 1)
    return incident
