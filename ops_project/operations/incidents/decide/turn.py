"""One decision about incidents: what it is made against, and what it has come to so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ops_project.model.oncall.escalation import ClassRoles
from ops_project.operations.incidents.decide.book import Book
from ops_project.operations.incidents.decide.incident import Call, Event, Incident, Outcome
from ops_project.operations.incidents.decide.reasons import IncidentReason
from ops_project.operations.incidents.decide.setting import Setting
from ops_project.operations.oncall.targets import About, Resolved, resolve


@dataclass(frozen=True)
class Message:
    """What people are told about an incident."""

    kind: str
    words: str
    """What the timeline says of it."""
    subject: str
    """What stands before the incident's number and title."""
    text: str
    occurrence: str
    """What distinguishes it from other messages of this kind about the incident."""


@dataclass
class Turn:
    """What the steps of one decision share."""

    setting: Setting
    now: datetime
    book: Book
    known: Mapping[int, int]
    """Alert → its incident, for every alert that had one before."""
    next_number: int
    outcome: Outcome = field(default_factory=Outcome)
    # Many open incidents ask for the same people.
    _people: dict[tuple[tuple[str, ...], About, tuple[str, ...]], Resolved] = field(default_factory=dict, repr=False)

    def note(self, incident: int, reason: IncidentReason, detail: str = "") -> None:
        """Add a line to an incident's timeline."""
        self.outcome.events.append(Event(incident, self.now, reason, "", detail))

    def call(self, call: Call) -> None:
        self.outcome.calls.append(call)

    def inform(self, incident: Incident, to: tuple[str, ...], reason: IncidentReason, message: Message) -> None:
        """Send people a message that interrupts nobody. The timeline says who got it, or that nobody is there."""
        found = self.people(to, incident)
        self.note(incident.number, reason, f"{message.words}; told: {', '.join(found.who) or 'nobody'}")
        if not found.who:
            return
        self.call(
            Call(
                incident=incident.number,
                kind=message.kind,
                who=found.who,
                subject=f"{message.subject} incident {incident.number}: {incident.title}",
                text=message.text,
                page=False,
                occurrence=message.occurrence,
            )
        )

    def home_of(self, alert: int | None) -> Incident | None:
        """The incident that this alert is a part of; None where it has none."""
        if alert is None:
            return None
        joined = self.outcome.joined.get(alert)
        return self.book.get(joined[0] if joined is not None else self.known.get(alert))

    def people(self, targets: tuple[str, ...], incident: Incident) -> Resolved:
        """The people and teams that `targets` mean for this incident now. Of a failure class, those that it needed when
        the incident opened."""
        about = About(incident.pipeline, incident.owner, incident.failure_class)
        roles = incident.policy.class_roles
        asked = (targets, about, roles)
        if asked not in self._people:
            known = {incident.failure_class: ClassRoles(roles=roles)} if roles else {}
            around = replace(self.setting.around, class_roles=known)
            self._people[asked] = resolve(targets, about, around, self.now)
        return self._people[asked]
