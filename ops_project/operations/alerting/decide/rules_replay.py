"""Computes which messages would have been sent. Past signals are decided on again, under a clock that jumps from event
to event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_project.model.alerting.alert import PENDING
from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.state import AlertConfig, Notification, State

# Signals that are closer together than this belong to the same cycle.
TICK = timedelta(seconds=5)


@dataclass(frozen=True)
class Told:
    """One notification of a replay. The notifications of two replays are compared by these values."""

    at: datetime
    channel: str
    recipient: str
    page: bool
    status: str
    summary: str


def replay(signals: Sequence[Signal], config: AlertConfig, until: datetime) -> list[Told]:
    """All notifications that these signals cause, up to `until`. `signals`: in the order of their events."""
    state = State()
    told: list[Told] = []
    for now, batch in _moments(signals, until):
        decision = decide(state, batch, config, now)
        told += _told(decision.notifications, config)
        # Some groups become due between this event and the next one.
        state, more = _quiet(decision.state, config, now, _next_event(signals, now, until))
        told += more
    return told


def _moments(signals: Sequence[Signal], until: datetime) -> Iterator[tuple[datetime, list[Signal]]]:
    batch: list[Signal] = []
    for signal in signals:
        if signal.event_at > until:
            break
        if batch and signal.event_at - batch[0].event_at > TICK:
            yield batch[-1].event_at, batch
            batch = []
        batch.append(signal)
    if batch:
        yield batch[-1].event_at, batch


def _next_event(signals: Sequence[Signal], now: datetime, until: datetime) -> datetime:
    low, high = 0, len(signals)
    while low < high:
        middle = (low + high) // 2
        if signals[middle].event_at > now:
            high = middle
        else:
            low = middle + 1
    return min(signals[low].event_at, until) if low < len(signals) else until


def _quiet(state: State, config: AlertConfig, since: datetime, end: datetime) -> tuple[State, list[Told]]:
    """Let the time between two events pass, from one moment at which something is due to the next."""
    told: list[Told] = []
    now = since
    while (following := _due(state, config, now)) is not None and following < end:
        now = following
        decision = decide(state, [], config, now)
        state = decision.state
        told += _told(decision.notifications, config)
    return state, told


def _due(state: State, config: AlertConfig, after: datetime) -> datetime | None:
    """The next moment after `after` at which something can change without a new signal."""
    times = [group.next_flush for group in state.groups.values()]
    times += state.memory.groups.settled.next_looks()
    for alert in state.alerts.values():
        rule = config.rules.get(alert.rule)
        if rule is None:
            continue
        if alert.status == PENDING:
            times.append(alert.starts_at + rule.hold)
        if alert.clears_at is not None:
            times.append(alert.clears_at)
        for index, condition in enumerate(rule.conditions):
            if condition.window is not None and "window" in alert.conditions.get(index, ()):
                readings = state.windows.get((alert.rule, index, alert.key), ())
                times += [reading.at + condition.window for reading in readings]
    return min((moment for moment in times if moment > after), default=None)


def _told(notifications: Sequence[Notification], config: AlertConfig) -> list[Told]:
    result = []
    for n in notifications:
        page = config.receivers[n.receiver].page
        items = n.payload["alerts"]
        assert isinstance(items, list)
        if not items:
            result.append(
                Told(
                    at=n.created_at,
                    channel=n.channel,
                    recipient=n.recipient,
                    page=False,
                    status=str(n.payload["status"]),
                    summary=str(n.payload["subject"]),
                )
            )
        result += [
            Told(
                at=n.created_at,
                channel=n.channel,
                recipient=n.recipient,
                page=page and item["status"] == "firing",
                status=item["status"],
                summary=item["summary"],
            )
            for item in items
        ]
    return result


@dataclass(frozen=True)
class Change:
    """Notifications with the same values, and their number before and after a change of the configuration."""

    channel: str
    recipient: str
    page: bool
    status: str
    summary: str
    before: int
    after: int


def compare(before: Sequence[Told], after: Sequence[Told]) -> list[Change]:
    """The differences, with pages first. If only the time differs, that is not a difference."""

    def count(told: Sequence[Told]) -> Counter[tuple[str, str, bool, str, str]]:
        return Counter((t.channel, t.recipient, t.page, t.status, t.summary) for t in told)

    old, new = count(before), count(after)
    changes = [Change(*key, old[key], new[key]) for key in {*old, *new} if old[key] != new[key]]
    return sorted(changes, key=lambda c: (not c.page, c.channel, c.recipient, c.summary, c.status))
