"""A group of alerts as in Alertmanager: when it is sent, and whether there is anything to send (by its notification
log).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import Node

# A digest comes once a day; a repeat interval of 24 h must not slip to the day after because of the cycle's seconds.
DIGEST_SLACK = timedelta(minutes=30)


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
    """What a recipient was last told about a group."""

    group: str
    channel: str
    recipient: str
    firing: frozenset[int]
    resolved: frozenset[int]
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """A group without unsent news, which need not be looked at before `until`. This is kept in memory only. A
    process without it looks once more than necessary.
    """

    parts: tuple[object, ...]
    """The parts that were looked at; empty if the group has changed since."""
    at: datetime
    next: datetime
    """Its next regular flush."""
    until: datetime
    """When the next repeat is due."""


def next_digest(clock: str, zone: ZoneInfo, after: datetime) -> datetime:
    """The next moment, strictly after `after`, at which the wall clock shows `clock`."""
    local = after.astimezone(zone)
    at = datetime.combine(local.date(), time.fromisoformat(clock), zone)
    if at <= local:
        at = datetime.combine(local.date() + timedelta(days=1), time.fromisoformat(clock), zone)
    return at.astimezone(UTC)


def first_flush(node: Node, zone: ZoneInfo, starts_at: datetime, now: datetime) -> datetime:
    """When a new group is sent: after group_wait, or at once if its first alert is already older than that."""
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
) -> tuple[bool, AlertReason]:
    """Alertmanager's dedup stage (`notify.DedupStage.needsUpdate`). For a digest, days are calendar days in `zone`."""
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
    passed = now - entry.at
    if node.digest:
        # The day on which the clocks go forward has 23 hours, and its digest is due all the same.
        days = now.astimezone(zone).date() - entry.at.astimezone(zone).date()
        passed = max(days, passed) + DIGEST_SLACK
    if passed > node.repeat_interval:
        return True, AlertReason.REPEAT
    return False, AlertReason.UNCHANGED
