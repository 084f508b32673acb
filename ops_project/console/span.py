"""The time that a figure is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a figure is asked for: up to `until`; `since` and `before` begin the period and the one before."""

    until: datetime
    since: datetime
    before: datetime

    @classmethod
    def week(cls, until: datetime) -> Span:
        """The seven days before `until`."""
        return cls(until, until - WEEK, until - 2 * WEEK)

    def moments(self) -> dict[str, datetime]:
        return {"as_of": self.until, "since": self.since, "before": self.before}
