"""Months and quarters: their days, whether every day was delivered, and growth against the period before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from tests.numbers.oracle.compare import ratio

Figures = dict[str, Any]
Period = tuple[str, date, date]
"""month or quarter, its first and its last day."""


def periods(day: date) -> Iterator[Period]:
    """The month and the quarter of a day."""
    for kind, months in (("month", 1), ("quarter", 3)):
        first = date(day.year, day.month - (day.month - 1) % months, 1)
        following = first.month + months
        last = date(first.year + (following > 12), following - 12 * (following > 12), 1) - timedelta(days=1)
        yield kind, first, last


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def of(period: Period, days: Iterable[date]) -> int:
    """How many of the days are in the period."""
    return sum(period[1] <= day <= period[2] for day in set(days))


def every(days: Iterable[date]) -> set[Period]:
    return {period for day in days for period in periods(day)}


def is_whole(period: Period, delivered: set[date]) -> bool:
    return set(span(period[1], period[2])) <= delivered


def against_before(rows: dict[tuple[Any, ...], Figures], name: str, to: str) -> None:
    """Growth of `name` against the period before: NULL unless both are complete and the one before is above zero."""
    for (kind, first), row in rows.items():
        before = next((first_day for of_kind, first_day, _ in periods(first - timedelta(days=1)) if of_kind == kind))
        old = rows.get((kind, before))
        comparable = old is not None and old["is_complete"] and row["is_complete"] and old[name] > 0
        row[to] = ratio(row[name] - old[name], old[name]) if comparable and old else None


def is_holiday(day: date) -> bool:
    """A federal holiday of the United States, from Thanksgiving to Cyber Monday, or from 24 December on."""
    thanksgiving = nth_weekday(day.year, 11, 3, 4)
    fixed = {(1, 1), (6, 19), (7, 4), (11, 11)}
    moving = {nth_weekday(day.year, month, 0, nth) for month, nth in ((1, 3), (2, 3), (9, 1), (10, 2))}
    memorial = date(day.year, 5, 31) - timedelta(days=date(day.year, 5, 31).weekday())
    return (
        (day.month, day.day) in fixed
        or day in moving | {memorial}
        or thanksgiving <= day <= thanksgiving + timedelta(days=4)
        or (day.month == 12 and day.day >= 24)
    )


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
