"""Checks how old the data itself is: its newest business date or event is compared with the clock. The time of the
build does not matter. Building an old partition again does not change the newest date, so it does not make the table
fresh.

Days on which the feed delivers nothing do not count. Data from the future does not count either: one row of the year
2099 would keep a table fresh for decades.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from asset_checks.days import days_later
from asset_checks.primitives.sql import identifier, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Severity, Situation, Verdict

NAME = "freshness"
DESCRIPTION = "The newest data, not the build, is less than a day old. Closed days do not count."
FAILURE_CLASS = "freshness_breach"

Freshness = Literal["fresh", "stale", "very stale"]


def applies(table: TableSpec) -> bool:
    return table.time_column is not None


def end_of(day: date, timezone: str) -> datetime:
    """The moment (UTC) at which `day` ends in the zone."""
    return _utc(datetime.combine(days_later(day, 1), time(), ZoneInfo(timezone)))


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    # The moment lies on the last day of the calendar in a zone west of Greenwich, or on the first day in a zone east of
    # it.
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def counted_age(since: datetime, now: datetime, timezone: str, open_on: Callable[[date], bool]) -> timedelta:
    """The time from `since` to `now`, without the closed days in between. It is never negative. Both times are
    aware.
    """
    since, now = since.astimezone(UTC), now.astimezone(UTC)
    age = max(now - since, timedelta())
    zone = ZoneInfo(timezone)
    day = since.astimezone(zone).date()
    while day <= now.astimezone(zone).date():
        if not open_on(day):
            start = datetime.combine(day, time(), zone).astimezone(UTC)
            age -= max(min(end_of(day, timezone), now) - max(start, since), timedelta())
        day += timedelta(days=1)
    return max(age, timedelta())


def classify(age: timedelta, stale_hours: float, very_stale_hours: float) -> Freshness:
    """`fresh` if the age is below `stale_hours`, `very stale` from `very_stale_hours` on, and `stale` in between."""
    if age < timedelta(hours=stale_hours):
        return "fresh"
    return "stale" if age < timedelta(hours=very_stale_hours) else "very stale"


def severity(freshness: Freshness, tier: int, critical_tiers: tuple[int, ...]) -> Severity:
    return "critical" if freshness == "very stale" and tier in critical_tiers else "high"


def newest(situation: Situation, table: TableSpec) -> tuple[datetime | None, object]:
    """The moment (UTC) up to which the table has data, and the newest value of its time column. Data from the future is
    ignored. Both are None if nothing is left.
    """
    return situation.once(("newest", table.name), lambda: _newest(situation, table))


def _newest(situation: Situation, table: TableSpec) -> tuple[datetime | None, object]:
    column, name = identifier(table.time_column or ""), table_name(table.name)
    # The maximum of a whole column comes from DuckDB's statistics. A second query is needed only if there is data from
    # the future.
    [[value]] = situation.rows(f"select max({column}) from {name}")
    if value is not None and _in_future(value, situation):
        limit: object = situation.now_utc
        if not isinstance(value, datetime):
            limit = situation.today
        elif value.tzinfo:
            limit = situation.now
        [[value]] = situation.rows(f"select max({column}) from {name} where {column} <= ?", [limit])
    return _moment(value, situation.timezone), value


def _in_future(value: date | datetime, situation: Situation) -> bool:
    if not isinstance(value, datetime):
        return value > situation.today
    return (value if value.tzinfo else value.replace(tzinfo=UTC)) > situation.now


def _moment(value: date | datetime | None, timezone: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return end_of(value, timezone)


def age_of(situation: Situation, table: TableSpec) -> timedelta | None:
    """The age of the newest data, without closed days. None if the table holds no data."""
    since, _ = newest(situation, table)
    return None if since is None else counted_age(since, situation.now, situation.timezone, table.open_on)


def evaluate(situation: Situation, table: TableSpec) -> Verdict:
    since, value = newest(situation, table)
    limits = situation.parameters.freshness
    if since is None:
        if not table.expected:
            return Verdict.ok(f"{table.name} is empty, and its contract expects nothing.")
        return Verdict.unknown(f"{table.name} holds no data up to {situation.now:%Y-%m-%d %H:%M} UTC: age unknown.")
    age = counted_age(since, situation.now, situation.timezone, table.open_on)
    hours = age / timedelta(hours=1)
    freshness = classify(age, limits.stale_hours, limits.very_stale_hours)
    evidence = {
        "newest": str(value),
        "hours": round(hours, 2),
        "state": freshness,
        "as_of": situation.now.isoformat(),
        "stale_from_hours": limits.stale_hours,
        "very_stale_from_hours": limits.very_stale_hours,
    }
    if freshness == "fresh":
        return Verdict.ok(f"{table.name} has data up to {value}.", **evidence)
    if not table.expected:
        return Verdict.ok(f"{table.name} has data up to {value}; its contract expects no more.", **evidence)
    return Verdict.fail(
        f"{table.name} is {freshness}: its newest data is of {value}, {hours:.1f} hours ago without closed days. "
        "Look at the arrival findings of its feeds first, then at the last run that built it.",
        severity(freshness, table.tier, limits.critical_tiers),
        FAILURE_CLASS,
        **evidence,
    )
