"""The code of a calendar of holidays: every code of the library is accepted, and no other."""

from __future__ import annotations

import holidays
import pytest
from pydantic import TypeAdapter, ValidationError

from ops_project.model.holiday_calendar import HolidayCalendar

CALENDAR: TypeAdapter[str] = TypeAdapter(HolidayCalendar)


def test_every_country_and_subdivision_of_the_library_is_accepted() -> None:
    for country, subdivisions in holidays.list_supported_countries().items():
        for code in (country, *(f"{country}-{subdivision}" for subdivision in subdivisions)):
            assert CALENDAR.validate_python(code) == code


@pytest.mark.parametrize("code", ["XX", "", "us", "UnitedStates", "NYSE", "TAR", "ECB", "country_holidays", "-NY"])
def test_what_is_no_country_is_refused(code: str) -> None:
    with pytest.raises(
        ValidationError, match="is not a country of the holidays library; write a code as in US or US-NY"
    ):
        CALENDAR.validate_python(code)


def test_an_unknown_subdivision_is_told_with_those_that_exist() -> None:
    with pytest.raises(ValidationError, match=r"US has no subdivision 'XY'; valid: AK, AL, .*NY"):
        CALENDAR.validate_python("US-XY")
    with pytest.raises(ValidationError, match="has no subdivision 'A'; valid: none"):
        CALENDAR.validate_python("MC-A")
