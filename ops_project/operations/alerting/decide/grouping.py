"""A group of alerts, as in Alertmanager. Decides when a group is sent. Its notification log decides whether it has
anything to send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node

# A digest is sent once a day. Its repeat interval is 24 h, so a cycle that is a few seconds late must not move it to
# the next day.
DIGEST_SLACK = timedelta(minutes=30)


LogKey = tuple[str, str, str]
"""The key of an entry of the notification log: group, channel, recipient."""


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that one route sends together."""

    key: str
    route: str
    labels: Mapping[str, str]
    members: frozenset[int]
    created_at: datetime
    next_flush: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What one recipient was last told about a group."""

    group: str
    channel: str
    recipient: str
    firing: frozenset[int]
    resolved: frozenset[int]
    at: datetime
    """When the last message was sent."""
    expires_at: datetime
    own_times: Mapping[int, datetime] = field(default_factory=dict)
    """For firing alerts that the last message did not name: number → when this recipient was last told of the alert. If
    an alert was silent when that message was sent, the recipient still knows of it, and its own repeat is due earlier.
    """

    def told_at(self, number: int) -> datetime:
        """When this recipient was last told that the alert fires."""
        return self.own_times.get(number, self.at)

    def without(self, numbers: frozenset[int]) -> LogEntry:
        """A copy of this entry that records that the recipient was not told of these alerts."""
        own = {number: at for number, at in self.own_times.items() if number not in numbers}
        return replace(self, firing=self.firing - numbers, own_times=own)

    def with_alert(self, number: int, told_at: datetime) -> LogEntry:
        """A copy of this entry that records that the recipient was told of this alert at `told_at`."""
        rest = self.without(frozenset({number}))
        own = rest.own_times if told_at == self.at else {**rest.own_times, number: told_at}
        return replace(rest, firing=rest.firing | {number}, own_times=own)


def next_digest(clock: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The next moment after `after` at which the wall clock of `zone` shows `clock`."""
    local = after.astimezone(zone)
    at = datetime.combine(local.date(), time.fromisoformat(clock), zone)
    if at <= local:
        at = datetime.combine(local.date() + timedelta(days=1), time.fromisoformat(clock), zone)
    return at.astimezone(UTC)


def first_flush(node: Node, zone: ZoneInfo, starts_at: datetime, now: datetime) -> datetime:
    """When a new group is first sent: after its group_wait, or at once if its first alert is already older than
    that.
    """
    if node.digest:
        return next_digest(node.digest, zone, now)
    return now if starts_at + node.group_wait <= now else now + node.group_wait


def following_flush(node: Node, zone: ZoneInfo, now: datetime) -> datetime:
    return next_digest(node.digest, zone, now) if node.digest else now + node.group_interval


def needs_update(
    entry: LogEntry | None,
    firing: frozenset[int],
    resolved: frozenset[int],
    *,
    send_resolved: bool,
    node: Node,
    now: datetime,
    zone: ZoneInfo,
    told_at: datetime | None = None,
) -> tuple[bool, AlertReason]:
    """Whether a message is sent, and the reason. The logic is that of Alertmanager (`notify.DedupStage.needsUpdate`).

    For a digest, days are calendar days in `zone`. `told_at`: the time from which the wait for the next repeat is
    counted; by default the time of the last message.
    """
    if entry is None:
        return (True, AlertReason.FIRST_NOTIFICATION) if firing else (False, AlertReason.NEVER_TOLD)
    if not firing <= entry.firing:
        return True, AlertReason.NEW_FIRING
    if not firing:
        return (
            bool(entry.firing) and send_resolved,
            AlertReason.ALL_RESOLVED if entry.firing else AlertReason.NOTHING_TO_TELL,
        )
    if send_resolved and not resolved <= entry.resolved:
        return True, AlertReason.NEW_RESOLVED
    since = told_at or entry.at
    passed = now - since
    if node.digest:
        # The day on which clocks go forward has 23 hours. A digest is due after these 23 hours too.
        days = now.astimezone(zone).date() - since.astimezone(zone).date()
        passed = max(days, passed) + DIGEST_SLACK
    if passed > node.repeat_interval:
        return True, AlertReason.REPEAT
    return False, AlertReason.UNCHANGED
