"""The period of a figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Span:
    """The period of a figure. It begins at `since` and ends at `until`; the period before it begins at `before`."""

    until: datetime
    since: datetime
    before: datetime

    @classmethod
    def week(cls, until: datetime) -> Span:
        """The seven days before `until`."""
        return cls(until, until - WEEK, until - 2 * WEEK)

    def moments(self) -> dict[str, datetime]:
        return {"as_of": self.until, "since": self.since, "before": self.before}
