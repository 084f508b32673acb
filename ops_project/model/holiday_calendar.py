"""The code of a calendar of public holidays."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def _known(value: str) -> str:
    from holidays import list_supported_countries  # This import takes half a second, and most files name no calendar.

    known = list_supported_countries()
    country, _, subdivision = value.partition("-")
    if country not in known:
        raise ValueError(f"{value!r} is not a country of the holidays library; write a code as in US or US-NY")
    if subdivision and subdivision not in known[country]:
        raise ValueError(f"{country} has no subdivision {subdivision!r}; valid: {', '.join(known[country]) or 'none'}")
    return value


HolidayCalendar = Annotated[str, AfterValidator(_known)]
"""A country code of the `holidays` library, with a subdivision after a dash: US, US-NY."""
