"""Decides whether a moment lies in a named time interval. The logic is that of Alertmanager, with public holidays
added.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from ops_project.model.alerting.calendar import TimeInterval

# The holidays of a country and year are kept, because computing them takes a millisecond.


@lru_cache(maxsize=64)
def _holidays(code: str, year: int) -> frozenset[date]:
    country, _, subdivision = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def is_holiday(code: str, day: date) -> bool:
    """Whether `day` is a public holiday. `code`: a country of the `holidays` library, or country-subdivision."""
    return day in _holidays(code, day.year)


def holds(interval: TimeInterval, now: datetime) -> bool:
    """Whether `now` satisfies every field that the interval sets."""
    local = now.astimezone(ZoneInfo(interval.location))
    minute = local.hour * 60 + local.minute
    if interval.times and not any(low <= minute < high for low, high in (t.minutes for t in interval.times)):
        return False
    if interval.weekdays and not _within(interval.weekday_ranges, (local.weekday() + 1) % 7):
        return False
    if interval.days_of_month and not _day_of_month(interval.day_ranges, local.date()):
        return False
    if interval.months and not _within(interval.month_ranges, local.month):
        return False
    if interval.years and not _within(interval.year_ranges, local.year):
        return False
    return not (interval.holidays and not is_holiday(interval.holidays, local.date()))


def _within(ranges: Sequence[tuple[int, int]], value: int) -> bool:
    return any(low <= value <= high for low, high in ranges)


def _day_of_month(ranges: Sequence[tuple[int, int]], day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    for low, high in ranges:
        first = low if low > 0 else length + low + 1
        last = high if high > 0 else length + high + 1
        if max(first, 1) <= day.day <= min(last, length):
            return True
    return False


def any_holds(names: Sequence[str], intervals: Mapping[str, Sequence[TimeInterval]], now: datetime) -> str | None:
    """The first of `names` whose interval contains `now`; None if there is none."""
    return next((name for name in names if any(holds(interval, now) for interval in intervals[name])), None)
