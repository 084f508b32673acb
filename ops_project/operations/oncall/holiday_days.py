"""The holidays of a schedule for a given year."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from ops_project.model.oncall.schedule import Holidays


def holidays_of(configured: Holidays, year: int) -> list[date]:
    """The holidays of one year, in ascending order. If a holiday is also observed on another day, that day
    counts too.
    """
    own = {day for day in configured.dates if day.year == year}
    return sorted(own | _of_country(configured.country, year))


@lru_cache(maxsize=256)
def _of_country(country: str | None, year: int) -> frozenset[date]:
    if country is None:
        return frozenset()
    from holidays import country_holidays

    name, _, subdivision = country.partition("-")
    return frozenset(day for day in country_holidays(name, subdiv=subdivision or None, years=year) if day.year == year)
