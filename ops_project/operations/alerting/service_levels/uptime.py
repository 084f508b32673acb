"""How much of the measured time a service level held. Time at which nobody looked is neither up nor down: unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# Two looks further apart leave the time between them unmeasured. The observer looks every 30 s.
LONGEST_GAP = timedelta(minutes=10)
WINDOW = timedelta(days=30)
# Longer than it counts: one look under a clock that is a month ahead must not cost what was measured.
KEPT = 3 * WINDOW
# Less than a day says nothing of a promise in tenths of a percent.
ENOUGH = timedelta(days=1)


@dataclass(frozen=True)
class Interval:
    """A stretch of time that was measured; `up` says what was found."""

    start: datetime
    end: datetime
    up: bool


def looked(measured: Sequence[Interval], at: datetime, up: bool) -> list[Interval]:
    """`measured` (oldest first) and one more look. What a look found holds until the next one, if that comes soon.

    A look decides of the time since the one before it, and of nothing else: the clock may have stood elsewhere for a
    rehearsal, and neither what was measured then nor what is measured now undoes the other.
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
    """Whether nothing of it can count any more."""
    return all(item.end <= now - KEPT for item in measured)


def measured_time(measured: Iterable[Interval], now: datetime) -> timedelta:
    """How much of the window before `now` was measured."""
    return sum((item.end - item.start for item in _clipped(measured, now)), timedelta())


def uptime(measured: Iterable[Interval], now: datetime) -> float | None:
    """Share of the measured time of the window that was up, in percent; None where nothing was measured."""
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
