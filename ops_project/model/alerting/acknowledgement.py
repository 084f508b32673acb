"""An acknowledgement: somebody has seen an alert and works on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Of one alert, until it is resolved; an alert that fires again is acknowledged anew."""

    alert: int
    by: str
    note: str
    at: datetime
    told_at: datetime | None = None
    """When the decision took it up; None: the next cycle does."""
