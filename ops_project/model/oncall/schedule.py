"""oncall.yaml: rotations, handoffs, overrides, swaps, holidays, and the weeks in which two people are on call."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from ops_project.model.base import Model, StoredName
from ops_project.model.duration import Duration
from ops_project.model.holiday_calendar import HolidayCalendar
from ops_project.model.timezone import Timezone

SHORTEST_SHIFT = timedelta(hours=1)
PRIMARY, BACKUP = "primary", "backup"


def _clock(value: str) -> str:
    try:
        time.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is not a time of day; write HH:MM, as in 09:00") from None
    return value


def _day_of_year(value: str) -> str:
    try:
        date.fromisoformat(f"2000-{value}")
    except ValueError:
        raise ValueError(f"{value!r} is not a day of the year; write MM-DD, as in 12-24") from None
    return value


Clock = Annotated[str, StringConstraints(pattern=r"^\d{2}:\d{2}$"), AfterValidator(_clock)]
DayOfYear = Annotated[str, StringConstraints(pattern=r"^\d{2}-\d{2}$"), AfterValidator(_day_of_year)]


class Pair(Model):
    """The two people of one shift."""

    primary: str
    """The person who is paged."""
    backup: str
    """The person who replaces the primary, and who is paged too in weeks in which two people are on call."""

    @model_validator(mode="after")
    def _distinct(self) -> Pair:
        if self.primary == self.backup:
            raise ValueError(f"primary and backup are both {self.primary!r}; name two people")
        return self


class Holidays(Model):
    """Which days are holidays, and whether they are distributed in advance."""

    country: HolidayCalendar | None = None
    """A country code of the `holidays` library, with a subdivision after a dash: US, US-NY."""
    dates: tuple[date, ...] = ()
    """Further holidays."""
    balance: bool = True
    """True: single holidays are given to another person in advance, so that the holidays of two people in a year differ
    by at most one.
    """


class TwoOnCall(Model):
    """Days of each year on which primary and backup are both paged. The first and the last day are included."""

    first: DayOfYear
    """The first day, as MM-DD."""
    last: DayOfYear
    """The last day, as MM-DD. It is included."""

    def holds(self, day: date) -> bool:
        """Whether `day` is in the range. A range may cross New Year."""
        here = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


class Override(Model):
    """For a limited time, one person replaces the person whose turn it is."""

    person: str
    """The id of the person who is on call."""
    start: datetime
    """A time with an offset, or in the schedule's time zone."""
    end: datetime
    """The end. At this moment the override no longer applies."""
    role: Literal["primary", "backup"] = "primary"
    """The role in which this person replaces the other."""
    why: str
    """The reason, for others to read."""

    @model_validator(mode="after")
    def _ordered(self) -> Override:
        if (self.start.tzinfo is None) != (self.end.tzinfo is None):
            raise ValueError("start and end: give both an offset, or neither")
        if self.end <= self.start:
            raise ValueError(f"end {self.end} does not lie after start {self.start}")
        return self


class AgreedSwap(Model):
    """Two people swap shifts. A swap in this file applies when both people are listed under `agreed`."""

    shift: date
    """The local day on which one of the two shifts begins."""
    other: date
    """The local day on which the other shift begins."""
    agreed: tuple[str, ...] = Field(min_length=2, max_length=2)
    """The primaries of both shifts who have agreed."""

    @model_validator(mode="after")
    def _two(self) -> AgreedSwap:
        if self.shift == self.other:
            raise ValueError("shift and other are the same day; a swap needs two shifts")
        if len(set(self.agreed)) != len(self.agreed):
            raise ValueError(f"agreed: {self.agreed[0]!r} is listed twice; both people must agree")
        return self


class Schedule(Model):
    """One rotation. Its shifts have no gaps between them. There are shifts before `starts` too."""

    title: str
    """The schedule's name for people."""
    zone: Timezone
    """The time zone of the schedule. Handoffs and holidays are local to it."""
    starts: date
    """The local day on which the first pair's shift begins. Weekly shifts always begin on the weekday of this day."""
    handoff: Clock = "09:00"
    """The local time of a handoff. It stays the same when daylight saving time begins or ends."""
    every: Duration = timedelta(days=7)
    """The length of a shift in local time."""
    rotation: tuple[Pair, ...] = Field(min_length=1)
    """The pairs in their order. The first pair follows the last one."""
    fallback: str
    """The person who is called if neither person of a shift is available."""
    holidays: Holidays = Holidays()
    two_on_call: tuple[TwoOnCall, ...] = ()
    overrides: tuple[Override, ...] = ()
    swaps: tuple[AgreedSwap, ...] = ()

    @field_validator("every")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < SHORTEST_SHIFT or value % timedelta(minutes=1):
            raise ValueError("a shift lasts at least 1h, in whole minutes")
        return value

    def people(self) -> tuple[str, ...]:
        """The people who are primary at some time, in the order of their first turn."""
        return tuple(dict.fromkeys(pair.primary for pair in self.rotation))


class OnCallFile(Model):
    """oncall.yaml: who is on call, and when."""

    schedules: dict[StoredName, Schedule] = {}
    default: str | None = None
    """The schedule that is used if none is named; default: the first one."""

    def main(self) -> str | None:
        """The schedule to which critical pages go; None if there is none."""
        return self.default or next(iter(self.schedules), None)
