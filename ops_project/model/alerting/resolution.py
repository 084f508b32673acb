"""A person closes an alert for which no event will come that closes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Resolution:
    """It closes the alert until a newer signal says that something is wrong."""

    alert: int
    by: str
    why: str
    at: datetime
    taken_at: datetime | None = None
    """When a cycle applied it; None: not yet."""
