"""A silence: who asked for it, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_project.model.alerting.matcher import Matcher

MAX_AGE = timedelta(days=7)
NOTICE_BEFORE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence applies in [starts_at, ends_at). Messages about resolved alerts are still sent."""

    number: int
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    owner: str
    reason: str
    created_at: datetime
    notice_sent_at: datetime | None = None

    def active(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at
