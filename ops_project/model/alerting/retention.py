"""How long the ledger keeps its rows."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, model_validator

from ops_project.model.base import Model
from ops_project.model.duration import Duration

DAY = timedelta(days=1)
SHORTEST = timedelta(days=2)
"""The shortest time that retention.yaml may give. The window of a rule reaches back at most one day, and a signal that
something is repaired may be read one day late.
"""


class Readings(Model):
    """The retention of gauges."""

    thin_after: Duration = Field(default=2 * DAY)
    """Up to this age, every reading is kept."""
    thin_to: Duration = Field(default=timedelta(hours=1))
    """Of older readings, only the largest and the smallest in each span of this length are kept, for each series."""
    keep: Duration = Field(default=30 * DAY)
    """Readings older than this are removed."""


class Kept(Model):
    """The retention of rows that are not readings."""

    keep: Duration
    """Rows older than this are removed."""


class Retention(Model):
    """retention.yaml: how long the ledger keeps its rows."""

    readings: Readings = Readings()
    events: Kept = Kept(keep=90 * DAY)
    states: Kept = Kept(keep=365 * DAY)
    messages: Kept = Kept(keep=180 * DAY)

    @model_validator(mode="after")
    def _long_enough(self) -> Retention:
        ages = {
            "readings.thin_after": self.readings.thin_after,
            "readings.keep": self.readings.keep,
            "events.keep": self.events.keep,
            "states.keep": self.states.keep,
            "messages.keep": self.messages.keep,
        }
        for name, age in ages.items():
            if age < SHORTEST:
                raise ValueError(f"{name} must be at least 2d, because rules look back that far")
        if self.readings.thin_to <= timedelta():
            raise ValueError("readings.thin_to must be longer than 0")
        return self
