"""Decides which files are due by now, and which came late. The module is pure: the clock is an argument."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache

from ops_project.model.days import days_later
from ops_project.model.feed.arrival import Arrival, Closed, Expected, cron_values
from ops_project.model.feed.feed import Feed

# The absence of files is reported for at most this many expected dates after the last file of a feed.
SILENT_DATES = 92


class LatenessReason(StrEnum):
    """Why a file counts as late or as in time."""

    IN_TIME = "in_time"
    HISTORY = "history"
    """The file came after its deadline, but no run had noticed its absence. So it belongs to a load of past files."""
    CORRECTION = "correction"
    """A good file of the date had been loaded before, so this file only corrects that one."""
    AFTER_MISSING = "after_missing"
    """The absence of the file had been recorded."""
    WITHIN_GRACE = "within_grace"
    """The file came after its deadline, within the grace time of the contract."""
    BY_ITS_TIME = "by_its_time"
    """The file's own time is after its deadline. The files of the other dates mostly have times before their
    deadlines.
    """
    NOT_EXPECTED = "not_expected"


@dataclass(frozen=True)
class Lateness:
    """Whether a file is late, and why."""

    late: bool
    reason: LatenessReason
    deadline: datetime | None


def is_closed(day: date, closed: Closed) -> bool:
    """True on days for which the contract expects no file."""
    if day in closed.dates or f"{day:%m-%d}" in closed.yearly:
        return True
    return closed.holidays is not None and day in _holidays(closed.holidays, day.year)


@lru_cache(maxsize=256)
def _holidays(code: str, year: int) -> Collection[date]:
    import holidays  # This import takes half a second, and most feeds have no holidays.

    country, _, subdivision = code.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None, years=year)


def is_expected(day: date, expected: Expected, closed: Closed) -> bool:
    """Whether a file of business date `day` is expected."""
    if expected.kind == "never" or is_closed(day, closed):
        return False
    if expected.kind == "days":
        return day.weekday() in expected.weekdays
    if expected.kind == "monthly":
        last = calendar.monthrange(day.year, day.month)[1]
        wanted = last if expected.day in (None, -1) else min(expected.day or 1, last)
        return day.day == wanted
    if expected.kind == "cron":
        return _cron_day(day, expected.cron or "")
    return True


def _cron_day(day: date, cron: str) -> bool:
    _, _, days, months, weekdays = cron.split()
    if day.month not in cron_values(months, 1, 12):
        return False
    by_day = day.day in cron_values(days, 1, 31)
    by_weekday = (day.weekday() + 1) % 7 in cron_values(weekdays, 0, 7)
    # This is cron's own rule: if both day fields are restricted, it is enough that one of them matches.
    if days != "*" and weekdays != "*":
        return by_day or by_weekday
    return by_day and by_weekday


def deadline(day: date, arrival: Arrival) -> datetime:
    """When the file of business date `day` must be there, in UTC."""
    local = datetime.combine(days_later(day, arrival.after_days), arrival.by, arrival.zone)
    try:
        return local.astimezone(UTC)
    # The time in UTC is outside the calendar. This happens on the last day of the calendar in a zone west of Greenwich,
    # or on the first day in a zone east of it.
    except OverflowError:
        return datetime.combine(local.date(), arrival.by, UTC)


def expected_dates(feed: Feed, first: date, now: datetime) -> Iterator[date]:
    """The business dates, from `first` on, whose files are due by `now`, in ascending order."""
    day = first
    while deadline(day, feed.arrival) <= now:
        if is_expected(day, feed.expected, feed.closed):
            yield day
        day = days_later(day, 1)


def missing_dates(feed: Feed, known: Collection[date], now: datetime) -> list[date]:
    """Due business dates without a known file. The dates begin at the feed's `start`, or at its first file if it has no
    `start`.
    """
    # A file whose date is wrong by centuries does not count as the first file.
    known = {day for day in known if day >= feed.plausible.first}
    if not feed.enabled or feed.expected.kind == "never" or not (known or feed.start):
        return []
    first = feed.start or min(known)
    last = max(known, default=first)
    missing = [day for day in expected_dates(feed, first, now) if day not in known]
    silent = [day for day in missing if day > last]
    return [day for day in missing if day <= last] + silent[:SILENT_DATES]


def times_are_the_sources(feed: Feed, arrivals: Collection[tuple[date, datetime]]) -> bool:
    """Whether the arrival times of these files (business date, moment) say when the source delivered them. If at least
    half of the files came in time, the times were not changed by a later copy. The time of a late file then proves that
    it was late. If files of past dates were copied without their times, all of them seem to come after their deadlines.
    """
    due = [(day, moment) for day, moment in arrivals if is_expected(day, feed.expected, feed.closed)]
    in_time = sum(moment <= deadline(day, feed.arrival) for day, moment in due)
    return bool(in_time) and 2 * in_time >= len(due)


def lateness(
    feed: Feed,
    day: date,
    arrived_at: datetime,
    *,
    was_missing: bool = False,
    was_loaded: bool = False,
    known_since: date | None = None,
    own_times: bool = False,
) -> Lateness:
    """Whether the file of `day` that came at `arrived_at` is late.

    `was_missing`: the absence of the file had been recorded.
    `was_loaded`: a file of the date is loaded and has no open finding.
    `known_since`: the first date that the feed had before this run; None if this run is its first load.
    `own_times`: whether the arrival times are those of the source (`times_are_the_sources`).
    """
    if not is_expected(day, feed.expected, feed.closed):
        return Lateness(False, LatenessReason.NOT_EXPECTED, None)
    due = deadline(day, feed.arrival)
    if was_missing:
        return Lateness(True, LatenessReason.AFTER_MISSING, due)
    if arrived_at <= due:
        return Lateness(False, LatenessReason.IN_TIME, due)
    if was_loaded:
        return Lateness(False, LatenessReason.CORRECTION, due)
    if known_since is not None and day < known_since:
        return Lateness(False, LatenessReason.HISTORY, due)
    if known_since is not None and arrived_at <= due + feed.arrival.grace:
        return Lateness(True, LatenessReason.WITHIN_GRACE, due)
    return Lateness(own_times, LatenessReason.BY_ITS_TIME if own_times else LatenessReason.HISTORY, due)


def in_words(late: Lateness, arrived_at: datetime, missed_at: datetime | None) -> str:
    """Why a file is late.

    `arrived_at`: the file's own time. If a file was copied with its original time, that time is before its arrival.
    `missed_at`: when the file's absence was recorded.
    """
    due = late.deadline
    if due is not None and missed_at is not None and arrived_at <= due:
        return (
            f"it was not there at {missed_at:%Y-%m-%d %H:%M} UTC, after it was due ({due:%Y-%m-%d %H:%M} UTC); the "
            f"time of the file itself, {arrived_at:%Y-%m-%d %H:%M} UTC, is earlier"
        )
    return f"arrived {arrived_at:%Y-%m-%d %H:%M} UTC" + (f", due {due:%Y-%m-%d %H:%M} UTC" if due else "")
