"""The growth of a period compared with the one before, if both are complete and one follows the other."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import jinja2

from ops_project.settings import DBT_PROJECT_DIR

Period = tuple[str, str, str, bool, float | None]
JANUARY: Period = ("month", "2026-01-01", "2026-01-31", True, 100)
FEBRUARY: Period = ("month", "2026-02-01", "2026-02-28", True, 150)
MARCH: Period = ("month", "2026-03-01", "2026-03-31", True, 75)


def growth(periods: Sequence[Period]) -> list[float | None]:
    """Growth of each period, in order of type and start."""
    macros = "".join(
        (DBT_PROJECT_DIR / "macros" / file).read_text(encoding="utf-8")
        for file in ("warehouse/ratio.sql", "investor/periods.sql")
    )
    expression = jinja2.Environment(autoescape=False).from_string(macros + "{{ period_growth('sold') }}").render()
    rows = ", ".join(
        f"('{kind}', date '{first}', date '{last}', {complete}, {'null' if sold is None else sold})"
        for kind, first, last, complete, sold in periods
    )
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {expression} from (values {rows}) as p (period_type, period_start, period_end, is_complete, sold)"
            " order by period_type, period_start"
        ).fetchall()
    return [None if value is None else float(value) for (value,) in found]


def test_each_period_against_the_one_before() -> None:
    assert growth([JANUARY, FEBRUARY, MARCH]) == [None, 0.5, -0.5]


def test_a_period_that_is_missing_gives_none_to_the_one_after_it() -> None:
    assert growth([JANUARY, MARCH]) == [None, None]


def test_an_incomplete_period_has_none_and_gives_none() -> None:
    assert growth([JANUARY, (*FEBRUARY[:3], False, 150), MARCH]) == [None, None, None]


def test_from_zero_from_a_loss_and_from_the_unknown_there_is_no_percentage() -> None:
    for before in (0, -10, None):
        assert growth([(*JANUARY[:4], before), FEBRUARY]) == [None, None]


def test_months_are_not_compared_with_quarters() -> None:
    quarter: Period = ("quarter", "2026-01-01", "2026-03-31", True, 325)
    assert growth([JANUARY, FEBRUARY, MARCH, quarter]) == [None, 0.5, -0.5, None]
