"""Date arithmetic of the models at both ends of the calendar. Rows of an older home with such dates stop no build."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_project.settings import DBT_PROJECT_DIR

FIRST, LAST = "0001-01-01", "9999-12-31"


class _Returned(Exception):
    """The return value of a dbt macro."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _return(value: Any) -> None:
    raise _Returned(value)


def macro(file: str, name: str) -> Callable[..., Any]:
    """Makes a macro a function. The function gives what the macro returns, or its text."""
    text = (DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=False, extensions=["jinja2.ext.do"])

    def dateadd(part: str, number: int, column: str) -> str:
        return f"date_add({column}, interval ({number}) {part})"

    module: Any = environment.from_string(text).make_module(
        {
            "modules": SimpleNamespace(datetime=datetime),
            "return": _return,
            "dbt": SimpleNamespace(dateadd=dateadd),
        }
    )

    def call(*arguments: Any) -> Any:
        try:
            return str(getattr(module, name)(*arguments))
        except _Returned as returned:
            return list(returned.value)

    return call


WIDENED = macro("incremental/touched_dates.sql", "widened")
DAYS_LATER = macro("warehouse/dates.sql", "days_later")


@pytest.mark.parametrize(
    ("dates", "before", "after", "expected"),
    [
        (["2026-03-01"], 1, 1, ["2026-02-28", "2026-03-01", "2026-03-02"]),
        ([FIRST], 6, 1, [FIRST, "0001-01-02"]),
        ([LAST], 1, 6, ["9999-12-30", LAST]),
        ([FIRST, LAST], 0, 0, [FIRST, LAST]),
        ([], 6, 6, []),
    ],
)
def test_neighbours_of_a_date_end_where_the_calendar_does(
    dates: Sequence[str], before: int, after: int, expected: list[str]
) -> None:
    assert WIDENED(dates, before, after) == expected


@given(st.dates(), st.integers(0, 40), st.integers(0, 40))
def test_every_date_has_its_neighbours(day: date, before: int, after: int) -> None:
    numbers = [date.fromisoformat(text).toordinal() for text in WIDENED([day.isoformat()], before, after)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] == max(day.toordinal() - before, date.min.toordinal())
    assert numbers[-1] == min(day.toordinal() + after, date.max.toordinal())


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-03-01", -1, date(2026, 2, 28)),
        (FIRST, -29, date.min),
        (FIRST, 1, date(1, 1, 2)),
        (LAST, 1, date.max),
        (LAST, -6, date(9999, 12, 25)),
        (None, -6, None),
    ],
)
def test_a_shifted_date_is_a_date(day: str | None, days: int, expected: date | None) -> None:
    given_as = "null" if day is None else f"'{day}'"
    with duckdb.connect() as connection:
        query = f"select {DAYS_LATER('day', days)} from (select cast({given_as} as date) as day)"
        assert connection.execute(query).fetchall() == [(expected,)]
