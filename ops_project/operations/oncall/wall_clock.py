"""The moment at which a wall clock reaches a time, in any zone and on any day. A clock that is put forward skips
times, and one that is put back shows some times twice. Here a local time means the first moment at which the clock
shows that time or a later one. So a later local time never gives an earlier moment, and shifts that follow each
other on the wall clock really follow each other, without a gap or an overlap.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def moment(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the wall clock of `zone` shows `local` (naive) or a later time."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if reading(first, zone) == local:
        return first
    # This local time is skipped. With the offset from before the change, it gives a moment after the change; with the
    # other offset, it gives a moment before it.
    after, before = first, local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while after - before > SECOND:
        middle = before + timedelta(seconds=(after - before) // SECOND // 2)
        if reading(middle, zone) >= local:
            after = middle
        else:
            before = middle
    return after


def reading(at: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock of `zone` shows at `at`; naive."""
    return at.astimezone(zone).replace(tzinfo=None)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) of a local day. If the day is skipped, it is the first moment of the next day."""
    return moment(datetime.combine(day, time()), zone)


def aware(at: datetime, zone: ZoneInfo) -> datetime:
    """`at` in UTC; a time without an offset is read in `zone`."""
    return moment(at, zone) if at.tzinfo is None else at.astimezone(UTC)
