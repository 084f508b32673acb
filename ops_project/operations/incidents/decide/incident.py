"""An incident, from the alert that opened it to the post-mortem. The policy is copied into the incident when the
incident opens. Editing YAML afterwards does not change an open incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ops_project.operations.incidents.decide.reasons import IncidentReason

TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"


@dataclass(frozen=True, slots=True)
class FrozenStep:
    """A step of the ladder, as it was configured when the incident opened."""

    level: str
    after: float
    """The step is taken after this many seconds without an acknowledgement."""
    to: tuple[str, ...]
    say: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that was configured for this incident at its opening."""

    ladder: str
    title: str
    steps: tuple[FrozenStep, ...]
    class_roles: tuple[str, ...]
    reopen_seconds: float
    repeats: int
    repeats_seconds: float
    repeats_to: tuple[str, ...]
    postmortem_seconds: float | None
    """How long after the end the post-mortem is due; None if none is required."""
    overdue: tuple[tuple[float, tuple[str, ...]], ...]
    """(seconds after the post-mortem was due, who is reminded then), in their order."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Immutable; a decision replaces it. Times are UTC."""

    number: int
    status: str
    priority: str
    severity: str
    title: str
    domain: str
    pipeline: str
    owner: str
    """The first owner of what failed first."""
    failure_class: str
    runbook: str
    assets: tuple[str, ...]
    """The assets that failed first, and failed assets upstream of them. An alert joins the incident by these."""
    policy: Policy
    opened_at: datetime
    triggered_at: datetime
    """The time of the opening, or of the last reopening. The ladder counts from it."""
    alerts: tuple[int, ...] = ()
    firing: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    step: int = 0
    """How many steps have been taken or skipped."""
    paused_seconds: float = 0.0
    """How long the incident was acknowledged since `triggered_at`. The ladder's clock stood still during that time."""
    paged: tuple[str, ...] = ()
    """The people whom the ladder has called. They are told about the end."""
    stands_down: str = ""
    """The channel whose service escalates by itself and has taken the page, or empty."""
    responder: str = ""
    acknowledged_at: datetime | None = None
    first_acknowledged_at: datetime | None = None
    unacknowledged_at: datetime | None = None
    """When a person gave the incident back; earlier acknowledgements no longer count."""
    resolved_at: datetime | None = None
    cause: str = ""
    reason: str = ""
    times: tuple[datetime, ...] = ()
    """Every opening and reopening."""
    repeat_told: bool = False
    postmortem_due: datetime | None = None
    postmortem_told: int = 0
    """How many of the reminders have been sent."""
    postmortem_at: datetime | None = None
    version: int = 0

    @property
    def open(self) -> bool:
        return self.status != RESOLVED

    def with_alert(self, alert: int) -> tuple[int, ...]:
        """The numbers of the incident's alerts, with this one added if it is new."""
        return self.alerts if alert in self.alerts else (*self.alerts, alert)

    @property
    def live(self) -> bool:
        """Whether the incident can still change or send messages without a person."""
        return self.open or (self.postmortem_due is not None and self.postmortem_at is None)

    def elapsed(self, now: datetime) -> timedelta:
        """The ladder's clock: the time since the incident was triggered, minus the time in which it was
        acknowledged.
        """
        standing = now - self.acknowledged_at if self.acknowledged_at is not None else timedelta()
        return now - self.triggered_at - timedelta(seconds=self.paused_seconds) - standing

    def step_due(self) -> datetime | None:
        """When the next step is due if nobody acknowledges; None if there is none or the clock stands still."""
        if self.status != TRIGGERED or self.step >= len(self.policy.steps) or self.stands_down:
            return None
        return self.triggered_at + timedelta(seconds=self.policy.steps[self.step].after + self.paused_seconds)

    def dump(self) -> dict[str, Any]:
        """Plain data; times as seconds."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Incident:
        """The inverse of `dump`."""
        values = dict(data)
        policy = dict(values["policy"])
        policy["steps"] = tuple(
            FrozenStep(step["level"], step["after"], tuple(step["to"]), step["say"]) for step in policy["steps"]
        )
        policy["overdue"] = tuple((after, tuple(to)) for after, to in policy["overdue"])
        for name in ("class_roles", "repeats_to"):
            policy[name] = tuple(policy[name])
        values["policy"] = Policy(**policy)
        for name in ("assets", "alerts", "firing", "keys", "paged"):
            values[name] = tuple(values[name])
        for name in _MOMENTS:
            values[name] = None if values.get(name) is None else datetime.fromtimestamp(values[name], UTC)
        values["times"] = tuple(datetime.fromtimestamp(at, UTC) for at in values["times"])
        return cls(**values)


_MOMENTS = (
    "opened_at",
    "triggered_at",
    "acknowledged_at",
    "first_acknowledged_at",
    "unacknowledged_at",
    "resolved_at",
    "postmortem_due",
    "postmortem_at",
)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    incident: int
    at: datetime
    reason: IncidentReason
    by: str = ""
    detail: str = ""


class Refused(ValueError):
    """A transition that is not allowed. The message gives the state and what to do."""


def acknowledge(incident: Incident, by: str, note: str, now: datetime) -> tuple[Incident, list[Event]]:
    """triggered → acknowledged: the ladder's clock stops. Raises Refused."""
    if incident.status == RESOLVED:
        raise Refused(f"incident {incident.number} is resolved: there is nothing to acknowledge")
    if incident.status == ACKNOWLEDGED:
        raise Refused(
            f"incident {incident.number} is acknowledged by {incident.responder} already; take it over to work on it"
        )
    changed = replace(
        incident,
        status=ACKNOWLEDGED,
        responder=by,
        acknowledged_at=now,
        first_acknowledged_at=incident.first_acknowledged_at or now,
    )
    return changed, [Event(incident.number, now, IncidentReason.ACKNOWLEDGED, by, note)]


def unacknowledge(incident: Incident, by: str, note: str, now: datetime) -> tuple[Incident, list[Event]]:
    """acknowledged → triggered: the ladder continues where it stopped. Raises Refused."""
    if incident.status != ACKNOWLEDGED or incident.acknowledged_at is None:
        raise Refused(f"incident {incident.number} is {incident.status}, not acknowledged")
    paused = incident.paused_seconds + (now - incident.acknowledged_at).total_seconds()
    changed = replace(
        incident, status=TRIGGERED, acknowledged_at=None, responder="", paused_seconds=paused, unacknowledged_at=now
    )
    return changed, [Event(incident.number, now, IncidentReason.UNACKNOWLEDGED, by, note)]


def take_over(incident: Incident, by: str, now: datetime) -> tuple[Incident, list[Event]]:
    """`by` works on the incident from now on, whoever worked on it before. Raises Refused."""
    if incident.status == RESOLVED:
        raise Refused(f"incident {incident.number} is resolved: there is nothing to take over")
    if incident.responder == by:
        raise Refused(f"{by} works on incident {incident.number} already")
    before = incident.responder
    changed = replace(
        incident,
        status=ACKNOWLEDGED,
        responder=by,
        acknowledged_at=incident.acknowledged_at or now,
        first_acknowledged_at=incident.first_acknowledged_at or now,
    )
    return changed, [Event(incident.number, now, IncidentReason.TAKEN_OVER, by, f"from {before}" if before else "")]


def resolve(incident: Incident, by: str, cause: str, reason: str, now: datetime) -> tuple[Incident, list[Event]]:
    """Acknowledged or triggered → resolved by a person, with the cause and what ended the incident. Raises Refused."""
    if incident.status == RESOLVED:
        raise Refused(f"incident {incident.number} is resolved already")
    if not cause.strip() or not reason.strip():
        raise Refused(f"incident {incident.number}: say what the cause was and what ended it")
    return _end(
        incident,
        Event(incident.number, now, IncidentReason.RESOLVED_BY_PERSON, by, f"cause: {cause}; {reason}"),
        cause,
        reason,
    )


def recover(incident: Incident, now: datetime) -> tuple[Incident, list[Event]]:
    """Acknowledged or triggered → resolved, because all alerts of the incident are resolved."""
    return _end(
        incident, Event(incident.number, now, IncidentReason.DATA_RECOVERED), incident.cause, "the data recovered"
    )


def _end(incident: Incident, event: Event, cause: str, reason: str) -> tuple[Incident, list[Event]]:
    due = incident.policy.postmortem_seconds
    changed = replace(
        incident,
        status=RESOLVED,
        resolved_at=event.at,
        acknowledged_at=None,
        cause=cause,
        reason=reason,
        postmortem_due=None if due is None else event.at + timedelta(seconds=due),
        postmortem_told=0,
        postmortem_at=None,
    )
    events = [event]
    if changed.postmortem_due is not None:
        words = f"due {changed.postmortem_due:%Y-%m-%d %H:%M} UTC"
        events.append(Event(incident.number, event.at, IncidentReason.POSTMORTEM_DUE, "", words))
    return changed, events


def reopen(incident: Incident, now: datetime) -> Incident:
    """resolved → triggered after a relapse. The incident keeps its history, and its ladder starts again."""
    return replace(
        incident,
        status=TRIGGERED,
        triggered_at=now,
        resolved_at=None,
        acknowledged_at=None,
        responder="",
        paused_seconds=0.0,
        step=0,
        stands_down="",
        paged=(),
        postmortem_due=None,
        postmortem_told=0,
        times=(*incident.times, now),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One message that a decision asks for."""

    incident: int
    kind: str
    """Why the message is sent: escalation, repeat, postmortem or resolved."""
    who: tuple[str, ...]
    """People's ids and team:<id>."""
    subject: str
    text: str
    page: bool
    """Whether the message interrupts the person."""
    occurrence: str
    """Identifies the message, together with the incident and the kind."""


@dataclass
class Outcome:
    """The result of one decision about incidents."""

    changed: dict[int, Incident] = field(default_factory=dict)
    joined: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Alert → (incident, the alert's key)."""
    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.changed or self.joined or self.events or self.calls)
