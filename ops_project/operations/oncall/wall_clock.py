"""Finds the moment at which a wall clock shows a given time, in any zone and on any day.

A clock that is put forward skips some times, and a clock that is put back shows some times twice. Here, a local time
means the first moment at which the clock shows that time or a later one. So a later local time never means an earlier
moment. Shifts that follow each other on the wall clock therefore have neither a gap nor an overlap.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def moment(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the wall clock of `zone` shows `local` or a later time. `local` has no zone."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if reading(first, zone) == local:
        return first
    # The clock skips this local time. With the offset from before the change, it gives a moment after the change; with
    # the offset from after it, a moment before the change.
    after, before = first, local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if reading(middle, zone) >= local:
            after = middle
        else:
            before = middle
    return after


def reading(at: datetime, zone: ZoneInfo) -> datetime:
    """The time that the wall clock of `zone` shows at `at`, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) of a local day. If the clock skips this day, it is the first moment of the next day."""
    return moment(datetime.combine(day, time()), zone)


def aware(at: datetime, zone: ZoneInfo) -> datetime:
    """`at` in UTC. If it has no offset, it is a local time of `zone`."""
    return moment(at, zone) if at.tzinfo is None else at.astimezone(UTC)
