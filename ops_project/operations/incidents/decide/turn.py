"""One turn, which is one decision about all incidents: what it is based on, and its results so far."""

from __future__ import annotations

from collections.abc import Mapping, Set
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
    """A message to people about an incident."""

    kind: str
    words: str
    """The text for the timeline."""
    subject: str
    """The first part of the subject line. The number and title of the incident follow it."""
    text: str
    occurrence: str
    """Distinguishes this message from the others of its kind about the same incident."""


@dataclass
class Turn:
    """The state that the steps of one decision share."""

    setting: Setting
    now: datetime
    book: Book
    known: Mapping[int, int]
    """Number of an alert → number of its incident, for every alert that had one before this turn."""
    next_number: int
    counted: Set[tuple[int, int]] = frozenset()
    """(number of an incident, number of an alert): the alerts that fired in each incident when the turn began."""
    outcome: Outcome = field(default_factory=Outcome)
    # Many open incidents need the same people, so these answers are kept.
    _people: dict[tuple[object, ...], Resolved] = field(default_factory=dict, repr=False)

    def note(self, incident: int, reason: IncidentReason, detail: str = "") -> None:
        """Add a line to an incident's timeline."""
        self.outcome.events.append(Event(incident, self.now, reason, "", detail))

    def call(self, call: Call) -> None:
        self.outcome.calls.append(call)

    def inform(self, incident: Incident, to: tuple[str, ...], reason: IncidentReason, message: Message) -> None:
        """Send people a message that is not a page. The timeline says who was told, or that nobody was told."""
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
        """The incident that this alert belongs to; None if there is none."""
        if alert is None:
            return None
        joined = self.outcome.joined.get(alert)
        return self.book.get(joined[0] if joined is not None else self.known.get(alert))

    def people(
        self,
        targets: tuple[str, ...],
        incident: Incident,
        called: tuple[str, ...] = (),
        at: datetime | None = None,
    ) -> Resolved:
        """The people and teams that `targets` stand for in this incident, now or at the moment `at`. `class-roles`
        stands for the roles that were configured when the incident opened. `called`: who was called already.
        """
        about = About(incident.pipeline, incident.owner, incident.failure_class)
        roles = incident.policy.class_roles
        asked = (targets, about, roles, called, at)
        if asked not in self._people:
            known = {incident.failure_class: ClassRoles(roles=roles)} if roles else {}
            around = replace(self.setting.around, class_roles=known)
            self._people[asked] = resolve(targets, about, around, at or self.now, called)
        return self._people[asked]
