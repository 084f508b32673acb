"""Named time intervals as in Alertmanager, maintenance windows and holidays."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, model_validator

from ops_project.model.alerting.matcher import ConfiguredMatcher
from ops_project.model.base import Model
from ops_project.model.holiday_calendar import HolidayCalendar
from ops_project.model.timezone import Timezone

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


def _clock(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    if not found or (not (int(found[1]) < 24 and int(found[2]) < 60) and text != "24:00"):
        raise ValueError(f"{text!r} is not a time; write HH:MM between 00:00 and 24:00")
    return int(found[1]) * 60 + int(found[2])


class TimeRange(Model):
    """A part of a day. The start is included, the end is not."""

    start_time: str
    """The first minute of the range, HH:MM."""
    end_time: str
    """The first minute after the range, HH:MM; at most 24:00."""

    @model_validator(mode="after")
    def _ordered(self) -> TimeRange:
        if _clock(self.start_time) >= _clock(self.end_time):
            raise ValueError(
                f"start_time {self.start_time} is not before end_time {self.end_time}; "
                "for a range over midnight, write two ranges"
            )
        return self

    @property
    def minutes(self) -> tuple[int, int]:
        return _clock(self.start_time), _clock(self.end_time)


def _ranges(
    values: tuple[Any, ...], names: tuple[str, ...], low: int, high: int, base: int
) -> tuple[tuple[int, int], ...]:
    """The first and the last number of each entry, such as `1:7`, `monday:friday` or `-1`. The range includes both."""

    def number(text: str) -> int:
        if text.lower() in names:
            return names.index(text.lower()) + base
        if not re.fullmatch(r"-?\d+", text):
            raise ValueError(f"{text!r} is not understood; valid: {', '.join(names) or 'numbers'} or a range a:b")
        value = int(text)
        if not low <= value <= high or (low < 0 and value == 0):
            raise ValueError(f"{value} is outside {low} to {high}")
        return value

    pairs = []
    for item in values:
        first, _, last = str(item).partition(":")
        pair = (number(first), number(last or first))
        if pair[0] > pair[1] and (pair[0] < 0) == (pair[1] < 0):
            raise ValueError(f"{item!r} ends before it starts")
        pairs.append(pair)
    return tuple(pairs)


class TimeInterval(Model):
    """A time interval of Alertmanager. Every given field must match, and within a field one matching entry is enough.
    `holidays` exists only here.
    """

    times: tuple[TimeRange, ...] = ()
    weekdays: tuple[str, ...] = ()
    """Names, or ranges such as `monday:friday`."""
    days_of_month: tuple[str | int, ...] = ()
    """1 to 31, or negative numbers from the end of the month."""
    months: tuple[str | int, ...] = ()
    """Names, numbers, or ranges such as `1:3`."""
    years: tuple[str | int, ...] = ()
    """Numbers, or ranges such as `2026:2028`."""
    location: Timezone = "UTC"
    """The time zone of the interval."""
    holidays: HolidayCalendar | None = None
    """A country code of the `holidays` library, with a subdivision after a dash: US, US-NY."""

    @model_validator(mode="after")
    def _readable(self) -> TimeInterval:
        self.weekday_ranges, self.day_ranges, self.month_ranges, self.year_ranges  # noqa: B018
        return self

    @property
    def weekday_ranges(self) -> tuple[tuple[int, int], ...]:
        return _ranges(self.weekdays, WEEKDAYS, 0, 6, 0)

    @property
    def day_ranges(self) -> tuple[tuple[int, int], ...]:
        return _ranges(self.days_of_month, (), -31, 31, 0)

    @property
    def month_ranges(self) -> tuple[tuple[int, int], ...]:
        return _ranges(self.months, MONTHS, 1, 12, 1)

    @property
    def year_ranges(self) -> tuple[tuple[int, int], ...]:
        return _ranges(self.years, (), 1, 9999, 0)


class Maintenance(Model):
    """Planned work that recurs. Alerts are silent during the work."""

    intervals: tuple[str, ...] = Field(min_length=1)
    """Names of time intervals."""
    matchers: tuple[ConfiguredMatcher, ...] = ()
    """Matchers of the alerts that are silent during the work. Without matchers, all alerts are silent."""
    owner: str
    """The person or team that answers for the planned work."""
    reason: str
    """The reason, for others to read."""


class Calendar(Model):
    """calendar.yaml: named time intervals and maintenance windows."""

    time_intervals: dict[str, tuple[TimeInterval, ...]]
    maintenance: dict[str, Maintenance] = {}
