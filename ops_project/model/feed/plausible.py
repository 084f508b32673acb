"""The range of dates that are plausible for a feed. A date outside of it is a mistake of the source, and nothing is
computed with it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import ConfigDict, Field

from ops_project.model.base import Model

# This is earlier than any business date that could be loaded. It applies if neither the contract nor platform.yaml sets
# a date.
EARLIEST = date(1900, 1, 1)


class Plausible(Model):
    """The range of a feed's business dates, and further columns whose dates must be in this range."""

    model_config = ConfigDict(populate_by_name=True)

    start: date | None = Field(default=None, alias="from")
    """The first date; default: the platform's start_date."""
    to: date | Literal["today", "tomorrow"] = "tomorrow"
    """The last date. `today` and `tomorrow` refer to the moment at which the file is read."""
    columns: tuple[str, ...] = ()
    """Further date and timestamp columns that must be in the range."""

    @property
    def first(self) -> date:
        return self.start or EARLIEST

    def last(self, today: date) -> date:
        """The last plausible date on the day `today`."""
        if isinstance(self.to, date):
            return self.to
        return today + timedelta(days=self.to == "tomorrow")
