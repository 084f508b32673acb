"""The period of a report.

The report for a date covers the last whole day, week (Monday to Sunday), month or quarter that ends on that date or
before it. It tells what was known at the end of the period: at the midnight after its last day, in the platform's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ops_project.operations.reports.kinds import DAY, MONTH, WEEK


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included. The moments are in UTC."""

    first: date
    last: date
    start: datetime
    end: datetime
    before: datetime
    """The start of the period before this one."""

    @property
    def words(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


class NotOver(ValueError):
    """The period has not ended yet. The message says when it ends."""


def newest(kind: str, now: datetime, zone: ZoneInfo) -> Period:
    """The last complete period before `now`."""
    today = now.astimezone(zone).date()
    return of(kind, today - timedelta(days=1), zone)


def of(kind: str, day: date, zone: ZoneInfo) -> Period:
    """The last complete period of `kind` that ends on `day` or before it."""
    first, last = _containing(kind, day)
    if last > day:
        first, last = _containing(kind, first - timedelta(days=1))
    before, _ = _containing(kind, first - timedelta(days=1))
    return Period(
        first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone), _midnight(before, zone)
    )


def check_over(period: Period, now: datetime) -> None:
    """Raises NotOver if the period has not ended at `now`."""
    if now < period.end:
        raise NotOver(f"{period.words} is not over before {period.end:%Y-%m-%d %H:%M} UTC; ask for an earlier date")


def _containing(kind: str, day: date) -> tuple[date, date]:
    if kind == DAY:
        return day, day
    if kind == WEEK:
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    month = day.month if kind == MONTH else (day.month - 1) // 3 * 3 + 1
    first = day.replace(month=month, day=1)
    span = 1 if kind == MONTH else 3
    after = month + span
    end = date(first.year + (after > 12), after - 12 if after > 12 else after, 1)
    return first, end - timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
