"""Date arithmetic that stops at both ends of the calendar, for checks. A warehouse may hold rows of the years 1 and
9999, which an earlier version accepted. If a result lies beyond the calendar, it is the last (or first) day of the
calendar. So a wrong date does not stop the processing of the others.

The same function is in ops_project/model/days.py. Asset checks may not import the project, and `ops_project/model` may
import nothing, so neither can use the other's. A test compares the two.
"""

from __future__ import annotations

from datetime import date, timedelta


def days_later(day: date, days: int) -> date:
    """The date `days` after `day` (negative: before), limited to the first and the last day of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
