"""The actions of people on an incident. The shell, the console and the links in messages call the same functions, so
they refuse the same things.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.operations.incidents.decide import incident as decisions
from ops_project.operations.incidents.decide.incident import Event, Incident, Refused
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.postmortem import unanswered
from ops_project.operations.ledger import Ledger

POST_MORTEM = "post-mortem"


def acknowledge(ledger: Ledger, number: int, by: str, note: str, now: datetime) -> Incident:
    """Acknowledge the incident. The ladder stops, and messages about its alerts are not repeated. Raises Refused,
    NoIncident.
    """
    return ledger.change_incident(number, lambda i: decisions.acknowledge(i, by, note, now), now, (by, note))


def give_back(ledger: Ledger, number: int, by: str, note: str, now: datetime) -> Incident:
    """Give the incident back, so that the ladder continues. Raises Refused, NoIncident."""
    return ledger.change_incident(number, lambda i: decisions.unacknowledge(i, by, note, now), now, ("", note))


def take_over(ledger: Ledger, number: int, by: str, now: datetime) -> Incident:
    """Record that `by` works on the incident from now on. Raises Refused, NoIncident."""
    return ledger.change_incident(number, lambda i: decisions.take_over(i, by, now), now, (by, ""))


def resolve(ledger: Ledger, number: int, *, by: str, cause: str, reason: str, now: datetime) -> Incident:
    """Resolve the incident. Messages about its alerts are not repeated. `cause`: why it happened. `reason`: what ended
    it.

    Raises Refused, NoIncident.
    """
    return ledger.change_incident(number, lambda i: decisions.resolve(i, by, cause, reason, now), now, (by, reason))


def note(ledger: Ledger, number: int, by: str, words: str, now: datetime) -> Incident:
    """Add a line to the timeline. Raises NoIncident, and Refused if the text is empty."""
    if not words.strip():
        raise Refused("the note is empty")
    event = Event(number, now, IncidentReason.NOTED, by, words)
    return ledger.change_incident(number, lambda i: (i, [event]), now)


def finish_postmortem(ledger: Ledger, number: int, by: str, text: str, now: datetime) -> Incident:
    """Store the written post-mortem. Raises NoIncident. Raises Refused if the incident is still open, or if a question
    has no answer.
    """

    def change(incident: Incident) -> tuple[Incident, list[Event]]:
        if incident.open:
            raise Refused(f"incident {number} is {incident.status}; write its post-mortem when it is resolved")
        if left := unanswered(text):
            raise Refused("these questions have no answer yet: " + " ".join(left))
        written = Event(number, now, IncidentReason.POSTMORTEM_WRITTEN, by)
        return replace(incident, postmortem_at=now), [written]

    changed = ledger.change_incident(number, change, now)
    ledger.keep_evidence(number, POST_MORTEM, title=f"Post-mortem of incident {number}", body=text, by=by, now=now)
    return changed
