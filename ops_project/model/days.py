"""Date arithmetic that stops at the ends of the calendar. A warehouse may hold rows of the years 1 and 9999 that an
earlier version accepted. The day after the last day of the calendar is that last day, so that a wrong date does not
stop the processing of the others.

asset_checks/days.py contains the same function, because asset checks may not import the project, and the modules of
`ops_project/model` import nothing else. A test compares the two.
"""

from __future__ import annotations

from datetime import date, timedelta


def days_later(day: date, days: int) -> date:
    """The date `days` after `day` (negative: before), limited to the first and the last day of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
