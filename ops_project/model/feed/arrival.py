"""When files of a feed are expected. The module only holds this data. pipeline/landing/decide/arrival.py decides with
it which files are late or missing.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration, parse_duration
from ops_project.model.holiday_calendar import HolidayCalendar
from ops_project.model.timezone import Timezone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _weekday(text: Any) -> int:
    found = [index for index, name in enumerate(WEEKDAYS) if name == str(text).lower() or name[:3] == str(text).lower()]
    if not found:
        raise ValueError(f"{text!r} is not a weekday; valid: {', '.join(WEEKDAYS)}")
    return found[0]


class Expected(Model):
    """The business dates for which a file is expected.

    YAML gives one of these values:

    - `daily`, `weekdays`, `weekly` (Mondays), `monthly` (the first day) or `never`
    - a list of weekdays
    - `{weekly: friday}`, `{monthly: 15}` or `{monthly: last}`
    - `{cron: "0 0 1-7 * 1"}`, of which only the day of the month, the month and the weekday count
    """

    kind: Literal["daily", "days", "monthly", "cron", "never"]
    """The kind of rule, which follows from the value in the file."""
    weekdays: tuple[int, ...] = ()
    """Days of the week; 0 is Monday."""
    day: int | None = Field(default=None, ge=-1, le=31)
    """Day of the month; -1 is the last. A month that lacks the day uses its last."""
    cron: str | None = None
    """Five cron fields. Only the day of the month, the month and the weekday count."""

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"kind": "days", "weekdays": tuple(sorted({_weekday(item) for item in value}))}
        if isinstance(value, dict) and len(value) == 1:
            ((key, item),) = value.items()
            if key == "weekly":
                return {"kind": "days", "weekdays": (_weekday(item),)}
            if key == "monthly":
                if item != "last" and (not isinstance(item, int) or not 1 <= item <= 31):
                    raise ValueError(f"monthly: {item!r} is neither a day from 1 to 31 nor last")
                return {"kind": "monthly", "day": -1 if item == "last" else item}
            if key == "cron":
                return {"kind": "cron", "cron": str(item)}
        if isinstance(value, dict) and "kind" in value:
            return value
        simple: dict[Any, dict[str, Any]] = {
            "daily": {"kind": "daily"},
            "weekdays": {"kind": "days", "weekdays": (0, 1, 2, 3, 4)},
            "weekly": {"kind": "days", "weekdays": (0,)},
            "monthly": {"kind": "monthly", "day": 1},
            "never": {"kind": "never"},
        }
        if isinstance(value, str) and value in simple:
            return simple[value]
        raise ValueError(
            f"expected: {value!r} is not understood; valid: {', '.join(simple)}, a list of weekdays, "
            "{weekly: <weekday>}, {monthly: <1-31 or last>}, {cron: <expression>}"
        )

    @model_validator(mode="after")
    def _cron_fields(self) -> Expected:
        if self.cron is not None:
            fields = self.cron.split()
            if len(fields) != 5:
                raise ValueError(f"cron {self.cron!r} has {len(fields)} fields; it needs 5, minute to weekday")
            for text, low, high in zip(fields[2:], (1, 1, 0), (31, 12, 7), strict=True):
                cron_values(text, low, high)
        return self


def cron_values(text: str, low: int, high: int) -> frozenset[int]:
    """The values that one cron field stands for. The field holds `*`, `a`, `a-b`, `*/n` or `a-b/n`, or several of them
    with commas between them. `a` and `b` may be names of months or weekdays.
    """
    names = {name[:3]: (index + 1) % 7 for index, name in enumerate(WEEKDAYS)} if high == 7 else {}
    if high == 12:
        names = {name: index + 1 for index, name in enumerate(_MONTHS)}
    values: set[int] = set()
    for item in text.lower().split(","):
        found = re.fullmatch(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?", item)
        if not found:
            raise ValueError(f"cron field {text!r} is not understood")
        try:
            first = low if found[1] == "*" else int(names.get(found[1], found[1]))
            last = int(names.get(found[2], found[2])) if found[2] else high if found[1] == "*" or found[3] else first
        except ValueError:
            raise ValueError(f"cron field {text!r} is not understood") from None
        if not low <= first <= last <= high or found[3] == "0":
            raise ValueError(f"cron field {text!r} lies outside {low} to {high}")
        values |= set(range(first, last + 1, int(found[3] or 1)))
    return frozenset(value % 7 for value in values) if high == 7 else frozenset(values)


class Arrival(Model):
    """The deadline for the file of a business date."""

    by: time = time(2, 0)
    """The deadline, as a time of day."""
    after_days: int = Field(default=1, ge=0)
    """Calendar days between the business date and the day of `by`."""
    timezone: Timezone = "America/New_York"
    """The zone of the deadline."""
    grace: Duration = Field(default=parse_duration("24h"))
    """A file that comes within this time after the deadline counts as late, even if no run noticed that it was absent.
    A file that comes still later without such a run may be a load of history.
    """

    @field_validator("by", mode="before")
    @classmethod
    def _clock(cls, value: Any) -> Any:
        # YAML 1.1 reads 01:30 without quotes as the number 90, because YAML 1.1 takes the text for minutes in base 60.
        if isinstance(value, int):
            return time(value // 60 % 24, value % 60)
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Closed(Model):
    """Days on which no file is expected."""

    dates: tuple[date, ...] = ()
    """Single dates."""
    yearly: tuple[str, ...] = ()
    """MM-DD, every year."""
    holidays: HolidayCalendar | None = None
    """A country code of the `holidays` library, with a subdivision after a dash: GB, US-NY."""

    @field_validator("yearly")
    @classmethod
    def _month_day(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                date.fromisoformat(f"2000-{text}")
            except ValueError:
                raise ValueError(f"yearly: {text!r} is not MM-DD") from None
        return value
