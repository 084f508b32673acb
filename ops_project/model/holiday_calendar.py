"""The code of a calendar of public holidays."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _known(value: str) -> str:
    # The import takes 0.05 s, and most files name no calendar. The first look at a country imports all 250 countries,
    # which takes another 0.06 to 0.15 s. So a country is looked at only for its subdivisions.
    import holidays
    from holidays.registry import EntityLoader

    country, _, subdivision = value.partition("-")
    if country not in EntityLoader.get_country_codes():
        raise ValueError(f"{value!r} is not a country of the holidays library; write a code as in US or US-NY")
    if subdivision and subdivision not in (valid := getattr(holidays, country).subdivisions):
        raise ValueError(f"{country} has no subdivision {subdivision!r}; valid: {', '.join(valid) or 'none'}")
    return value


HolidayCalendar = Annotated[str, AfterValidator(_known)]
"""A country code of the `holidays` library, with a subdivision after a dash: US, US-NY."""
