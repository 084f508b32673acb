"""The dates that a feed can mean. A date outside is a mistake of the source, and no arithmetic is done on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from pydantic import ConfigDict, Field

from ops_project.model.base import Model

# Before any business that could be loaded here: holds where neither the contract nor platform.yaml says more.
EARLIEST = date(1900, 1, 1)


class Plausible(Model):
    """The range of a feed's business dates, and the columns besides whose dates lie in it too."""

    model_config = ConfigDict(populate_by_name=True)

    start: date | None = Field(default=None, alias="from")
    """First date; default: the platform's start_date."""
    to: date | Literal["today", "tomorrow"] = "tomorrow"
    """Last date; today and tomorrow are those of the moment at which the file is read."""
    columns: tuple[str, ...] = ()
    """Dates and timestamps that lie in it, besides the column of the business date."""

    @property
    def first(self) -> date:
        return self.start or EARLIEST

    def last(self, today: date) -> date:
        """The last plausible date on the day `today`."""
        if isinstance(self.to, date):
            return self.to
        return today + timedelta(days=self.to == "tomorrow")
