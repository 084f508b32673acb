"""A person's word that an alert is over, where nothing will come that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Resolution:
    """It closes the alert, and lasts until a newer signal says that something is wrong."""

    alert: int
    by: str
    why: str
    at: datetime
    taken_at: datetime | None = None
    """When the engine took it up; None: not yet."""
