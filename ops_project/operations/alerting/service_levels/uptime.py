"""For how much of the measured time a service level was met. Time in which no process looked is not measured: it counts
neither as up nor as down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# If two looks are further apart than this, the time between them is not measured. The observer normally looks every 30
# s.
LONGEST_GAP = timedelta(minutes=10)
WINDOW = timedelta(days=30)
# Measurements are kept for longer than they count. Otherwise one look under a clock that is a month ahead would remove
# them.
KEPT = 3 * WINDOW
# A target is given in tenths of a percent. Less than a day of measurements is too little to judge it.
ENOUGH = timedelta(days=1)


@dataclass(frozen=True)
class Interval:
    """A span of time that was measured. `up`: whether the service level was met in it."""

    start: datetime
    end: datetime
    up: bool


def looked(measured: Sequence[Interval], at: datetime, up: bool) -> list[Interval]:
    """`measured` (the oldest first) with the result of one more look.

    If the look before was recent enough, the time since then counts as that look found it. The result of the new look
    does not count for earlier time. A rehearsal may have set the clock differently, so a look changes no measurement
    that lies before or after it.
    """
    past = [item for item in measured if item.end < at and item.end > at - KEPT]
    here = [replace(item, end=at) for item in measured if item.start <= at <= item.end]
    ahead = [replace(item, start=max(item.start, at)) for item in measured if item.end > at]
    looked_at_it = any(item.end == at for item in measured)
    if past and at - past[-1].end <= LONGEST_GAP and not looked_at_it:
        past[-1] = replace(past[-1], end=at)
    else:
        past += here
    if past and past[-1].end == at and past[-1].up == up:
        return [*past, *ahead]
    return [*past, Interval(at, at, up), *ahead]


def forgotten(measured: Iterable[Interval], now: datetime) -> bool:
    """Whether all measurements are so old that they are no longer kept."""
    return all(item.end <= now - KEPT for item in measured)


def measured_time(measured: Iterable[Interval], now: datetime) -> timedelta:
    """How much of the window that ends at `now` was measured."""
    return sum((item.end - item.start for item in _clipped(measured, now)), timedelta())


def uptime(measured: Iterable[Interval], now: datetime) -> float | None:
    """The share of the window's measured time in which the service level was met, in percent. None if nothing was
    measured.
    """
    clipped = _clipped(measured, now)
    total = measured_time(clipped, now)
    if not total:
        return None
    return 100 * (sum((item.end - item.start for item in clipped if item.up), timedelta()) / total)


def _clipped(measured: Iterable[Interval], now: datetime) -> list[Interval]:
    since = now - WINDOW
    return [
        replace(item, start=max(item.start, since), end=min(item.end, now))
        for item in measured
        if item.end > since and item.start < now
    ]
