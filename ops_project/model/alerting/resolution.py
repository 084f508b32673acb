"""A resolution by a person, for an alert that no later event would resolve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Resolution:
    """The alert stays closed until a newer signal says that something is wrong."""

    alert: int
    by: str
    why: str
    at: datetime
    taken_at: datetime | None = None
    """When a cycle applied the resolution. None: the next cycle will apply it."""
