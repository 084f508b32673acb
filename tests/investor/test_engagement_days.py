"""What the check of a day's engagement finds, and how many false alarms it raises. Products with a weekly rhythm,
growth and noise are simulated day by day, and the model's own SQL judges each day.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.dbt.macros import model, variable

MEASURES = ("active_units", "sessions", "engaged_seconds")
FIRST = date(2024, 1, 1)
WEEK = np.array([1.0, 1.02, 1.04, 1.03, 0.95, 0.62, 0.55])


def judged(sizes: np.ndarray, excluded: tuple[date, ...] = ()) -> list[tuple[date, float, float, float, str]]:
    """(day, three z-scores, status) of each day; `sizes`: measures × days. Units stand as rows, as in the source."""
    sql = model(
        "investor/intermediate/rec_engagement_days.sql",
        ("investor/holidays.sql", "warehouse/weekday.sql"),
        {"int_unit_event_days": "unit_days", "excluded_points": "excluded"},
    )
    # A row for each day and unit would be millions of rows. So the result of the first step is given, and not computed.
    aggregated = sql.replace("count(*) as active_units", "sum(units) as active_units", 1)
    assert aggregated != sql
    days = [FIRST + timedelta(days=number) for number in range(sizes.shape[1])]
    columns = {"business_date": days, "units": sizes[0], "sessions": sizes[1], "engaged_seconds": sizes[2]}
    with duckdb.connect() as connection:
        connection.register("unit_days", pa.table(columns))
        connection.execute("create table excluded (asset varchar, business_date date)")
        for day in excluded:
            connection.execute("insert into excluded values ('silver/rec_engagement_days', ?)", [day])
        return connection.execute(
            f"select business_date, z_score, sessions_z_score, engaged_seconds_z_score, status from ({aggregated})"
            " order by 1"
        ).fetchall()


def product(seed: int, days: int, noise: float = 0.05, growth: float = 0.0, level: float = 4000.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    number = np.arange(days)
    usual = level * WEEK[number % 7] * (1 + growth) ** (number / 7)
    scale = np.array([[1.0], [2.3], [900.0]])
    return np.round(usual * scale * np.exp(noise * random.standard_normal((3, days))))


def is_called(score: float) -> bool:
    return score < -variable("investor_drop_z") or score > variable("investor_anomaly_z")


def test_four_of_five_drops_of_a_fifth_are_found_after_eight_weeks() -> None:
    """One day drops by a fifth, in a product that is stable, grows or shrinks, with 5 % of noise from day to day."""
    found: list[bool] = []
    for seed, growth in enumerate((0.0, 0.0, 0.01, 0.01, -0.01, -0.01)):
        sizes = product(100 + seed, 365, growth=growth)
        # The days from the end of the eighth week on. Each has eight weeks without a drop before it.
        dropped = range(57, 365, 62)
        sizes[:, list(dropped)] *= 0.8
        days = judged(sizes)
        for at in dropped:
            _, *scores, status = days[at]
            found += [is_called(score) for score in scores]
            assert (status in ("Anomaly Detected", "Expected Holiday")) == any(is_called(score) for score in scores)
    assert len(found) == 6 * 5 * 3
    assert np.mean(found) >= 0.8


def test_a_measure_without_incident_calls_at_most_once_a_year() -> None:
    calls, years = np.zeros(3), 0.0
    for seed, (noise, growth) in enumerate(((0.05, 0.0), (0.05, 0.0), (0.05, 0.01), (0.1, 0.01), (0.02, -0.005))):
        for _, *scores, status in judged(product(3000 + seed, 730, noise=noise, growth=growth)):
            if status != "Insufficient History":
                calls += [is_called(score) for score in scores]
                years += 1 / 365
    assert (calls / years <= 1).all(), calls / years


@pytest.mark.soak
def test_false_alarms_over_a_hundred_years() -> None:
    """A hundred years, because a rate of one false alarm a year cannot be judged by a few years. A day that is known to
    be unusual raises no alarm.
    """
    alarms, years = 0, 0.0
    for seed in range(24):
        noise, growth = (0.05, 0.03, 0.08)[seed % 3], (0.0, 0.005, -0.003, 0.0)[seed % 4]
        for _, *scores, status in judged(product(50000 + seed, 5 * 365, noise=noise, growth=growth)):
            if status != "Insufficient History":
                alarms += sum(is_called(score) for score in scores) * (status == "Anomaly Detected")
                years += 3 / 365
    assert alarms / years <= 1


def test_a_day_that_dropped_does_not_hide_the_next() -> None:
    sizes = product(5, 80, noise=0.03)
    sizes[0, 60] *= 0.4
    sizes[0, 67] *= 0.8
    days = judged(sizes)
    assert [days[at][4] for at in (60, 67)] == ["Anomaly Detected", "Anomaly Detected"]


def test_a_weekend_is_no_drop() -> None:
    statuses = {status for *_, status in judged(product(3, 70, noise=0.01))}
    assert statuses <= {"Normal", "Insufficient History", "Expected Holiday"}


def test_a_day_that_was_judged_false_is_not_told_again() -> None:
    sizes = product(5, 60, noise=0.03)
    sizes[0, 59] *= 0.5
    assert judged(sizes)[-1][4] == "Anomaly Detected"
    assert judged(sizes, (FIRST + timedelta(days=59),))[-1][4] == "Judged Normal"
