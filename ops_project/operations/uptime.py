"""How much of the measured time a service level held. Time at which nobody looked is neither up nor down: unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# Two looks further apart leave the time between them unmeasured. The observer looks every 30 s.
LONGEST_GAP = timedelta(minutes=10)
WINDOW = timedelta(days=30)
# Less than a day says nothing of a promise in tenths of a percent.
ENOUGH = timedelta(days=1)


@dataclass(frozen=True)
class Interval:
    """A stretch of time that was measured; `up` says what was found."""

    start: datetime
    end: datetime
    up: bool


def looked(measured: Sequence[Interval], at: datetime, up: bool) -> list[Interval]:
    """`measured` (oldest first) and one more look. What a look found holds until the next one, if that comes soon."""
    kept = [item for item in measured if item.end > at - WINDOW]
    last = kept[-1] if kept else None
    if last is not None and at <= last.end:
        return kept
    if last is not None and at - last.end <= LONGEST_GAP:
        kept[-1] = replace(last, end=at)
        if last.up == up:
            return kept
    return [*kept, Interval(at, at, up)]


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
    return [replace(item, start=max(item.start, since)) for item in measured if item.end > since]
