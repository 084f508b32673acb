"""Arithmetic of dates that ends where the calendar does, for checks.

A warehouse may hold rows of the years 1 and 9999 that an earlier version let in. A day after the last day of the
calendar is that last day: a date that is wrong stops nothing that concerns the others.
"""

from __future__ import annotations

from datetime import date, timedelta


def days_later(day: date, days: int) -> date:
    """`day` and so many days (negative: before), at most the last and at least the first day of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
