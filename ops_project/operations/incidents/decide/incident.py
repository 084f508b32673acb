"""An incident, from the alert that opens it to the post-mortem. When it opens, the policy is copied into it. So an edit
of the configuration does not change an open incident.
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
    """The step is taken if nobody has acknowledged for this many seconds."""
    to: tuple[str, ...]
    say: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What was configured for this incident when it opened."""

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
    """The reminders in their order: (seconds after the post-mortem was due, who is reminded)."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. It is immutable: a decision replaces it by another object. Times are in UTC."""

    number: int
    status: str
    priority: str
    severity: str
    title: str
    domain: str
    pipeline: str
    owner: str
    """The first owner of the asset that failed first."""
    failure_class: str
    runbook: str
    assets: tuple[str, ...]
    """The assets that failed first, and the failed assets upstream of them. They decide which alerts join the
    incident.
    """
    policy: Policy
    opened_at: datetime
    triggered_at: datetime
    """When the incident was opened or last reopened. The times of the ladder are counted from here."""
    alerts: tuple[int, ...] = ()
    firing: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    step: int = 0
    """How many steps of the ladder have been taken or skipped."""
    paused_seconds: float = 0.0
    """For how many seconds since `triggered_at` the incident was acknowledged. During that time, the ladder's clock
    stood still.
    """
    paged: tuple[str, ...] = ()
    """The people whom the ladder has called. They are told when the incident ends."""
    stands_down: str = ""
    """The channel of the service that escalates by itself and has received the page; empty if there is none."""
    responder: str = ""
    acknowledged_at: datetime | None = None
    first_acknowledged_at: datetime | None = None
    unacknowledged_at: datetime | None = None
    """When a person gave the incident back. Acknowledgements from before that time no longer count."""
    resolved_at: datetime | None = None
    cause: str = ""
    reason: str = ""
    times: tuple[datetime, ...] = ()
    """The times of all openings and reopenings."""
    repeat_told: bool = False
    postmortem_due: datetime | None = None
    postmortem_told: int = 0
    """How many reminders of the post-mortem have been sent."""
    postmortem_at: datetime | None = None
    version: int = 0

    @property
    def open(self) -> bool:
        return self.status != RESOLVED

    def with_alert(self, alert: int) -> tuple[int, ...]:
        """The numbers of the incident's alerts, including this one."""
        return self.alerts if alert in self.alerts else (*self.alerts, alert)

    @property
    def live(self) -> bool:
        """Whether the incident can still change, or send messages, without a person doing anything."""
        return self.open or (self.postmortem_due is not None and self.postmortem_at is None)

    def elapsed(self, now: datetime) -> timedelta:
        """The time on the ladder's clock: the time since `triggered_at`, minus the time during which the incident was
        acknowledged.
        """
        standing = now - self.acknowledged_at if self.acknowledged_at is not None else timedelta()
        return now - self.triggered_at - timedelta(seconds=self.paused_seconds) - standing

    def step_due(self) -> datetime | None:
        """When the next step is due if nobody acknowledges; None if no step is left or the ladder's clock
        stands still.
        """
        if self.status != TRIGGERED or self.step >= len(self.policy.steps) or self.stands_down:
            return None
        return self.triggered_at + timedelta(seconds=self.policy.steps[self.step].after + self.paused_seconds)

    def dump(self) -> dict[str, Any]:
        """The incident as plain data, with times in seconds."""
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
    """One line of an incident's timeline."""

    incident: int
    at: datetime
    reason: IncidentReason
    by: str = ""
    detail: str = ""


class Refused(ValueError):
    """A change that is not allowed. The message says why, and what to do instead."""


def acknowledge(incident: Incident, by: str, note: str, now: datetime) -> tuple[Incident, list[Event]]:
    """Turn a triggered incident into an acknowledged one, so that the ladder's clock stops. Raises Refused."""
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
    """Turn an acknowledged incident into a triggered one, so that the ladder continues where it stopped. Raises
    Refused.
    """
    if incident.status != ACKNOWLEDGED or incident.acknowledged_at is None:
        raise Refused(f"incident {incident.number} is {incident.status}, not acknowledged")
    paused = incident.paused_seconds + (now - incident.acknowledged_at).total_seconds()
    changed = replace(
        incident, status=TRIGGERED, acknowledged_at=None, responder="", paused_seconds=paused, unacknowledged_at=now
    )
    return changed, [Event(incident.number, now, IncidentReason.UNACKNOWLEDGED, by, note)]


def take_over(incident: Incident, by: str, now: datetime) -> tuple[Incident, list[Event]]:
    """Let `by` work on the incident from now on, in place of the person who does so now. Raises Refused."""
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
    """Resolve the incident because a person says so. `cause`: why it happened. `reason`: what ended it. Raises
    Refused.
    """
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
    """Resolve the incident because all its alerts are resolved."""
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
    """Turn a resolved incident into a triggered one, because the fault has come back. The incident keeps its history,
    and its ladder starts again.
    """
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
    """The ids of people, and `team:<id>` for teams."""
    subject: str
    text: str
    page: bool
    """Whether the message is a page, which interrupts its reader."""
    occurrence: str
    """Identifies the message among those of the same kind about the same incident."""


@dataclass
class Outcome:
    """The result of one decision about incidents."""

    changed: dict[int, Incident] = field(default_factory=dict)
    joined: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Number of an alert → (number of its incident, key of the alert)."""
    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.changed or self.joined or self.events or self.calls)
