"""An acknowledgement: a person has seen an alert and works on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An acknowledgement counts until its alert is resolved. If the alert fires again, it must be acknowledged
    again.
    """

    alert: int
    by: str
    note: str
    at: datetime
    told_at: datetime | None = None
    """When a cycle applied the acknowledgement. None: the next cycle will apply it."""
