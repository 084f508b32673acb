"""The prediction of daily volumes and the statistics behind it: proven by simulation with a fixed seed, and at the
edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from asset_checks.primitives.interval import expected_interval, t_quantile
from tests.asset_checks.warehouse import shipped

START = date(2026, 1, 5)
WEEK = np.array([1.0, 1.05, 1.1, 1.0, 1.2, 1.5, 0.6])
PARAMETERS = shipped().volume


def series(points: int, rng: np.random.Generator, noise: float, growth: float, weekly: bool) -> list[float]:
    day = np.arange(points + 1)
    level = 1000 * (1 + growth) ** day * (WEEK[day % 7] if weekly else 1.0)
    return list(level * (1 + noise * rng.standard_normal(points + 1)))


def found(values: Sequence[float]) -> bool:
    """True if the last value lies outside the range that the others predict."""
    dates = [START + timedelta(days=index) for index in range(len(values))]
    interval = expected_interval(list(zip(dates[:-1], map(round, values[:-1]), strict=True)), dates[-1], PARAMETERS)
    assert interval is not None
    return not interval.holds(round(values[-1]))


def rate(points: int, factor: float, *, noise: float = 0.05, growth: float = 0.0, weekly: bool = False) -> float:
    rng = np.random.default_rng(20260310)
    rounds = 500
    hits = 0
    for _ in range(rounds):
        values = series(points, rng, noise, growth, weekly)
        values[-1] *= factor
        hits += found(values)
    return hits / rounds


@pytest.mark.parametrize("points", [8, 13, 20, 28, 56])
def test_a_load_cut_to_60_percent_is_found_and_a_whole_one_is_not(points: int) -> None:
    assert rate(points, 0.6) >= 0.97
    assert rate(points, 1.0) <= 0.015


@pytest.mark.parametrize("points", [28, 35, 56])
def test_weekdays_and_growth_are_no_findings_and_hide_none(points: int) -> None:
    assert rate(points, 1.0, weekly=True, growth=0.01) <= 0.015
    assert rate(points, 0.6, weekly=True, growth=0.01) >= 0.97


def test_a_small_healthy_dip_is_no_broken_load_and_a_cut_on_the_same_day_is() -> None:
    """28 days of web traffic. After three growing Tuesdays, the last one has 17 % less than expected."""
    days = [
        5464,
        5136,
        5107,
        5959,
        5734,
        4802,
        5351,
        5541,
        5096,
        5155,
        6126,
        6091,
        5403,
        5840,
        5657,
        5463,
        5834,
        6145,
        6581,
        5309,
        5386,
        6176,
        5931,
        5706,
        6375,
        6294,
        5052,
        5704,
    ]
    assert not found([*days, 5106])
    assert found([*days, 0.6 * 5106])


def test_a_small_change_is_found_where_the_series_is_steady() -> None:
    assert found([1000.0 + index % 3 for index in range(28)] + [880.0])


@pytest.mark.parametrize("points", [8, 28])
def test_a_year_of_files_brings_hardly_a_false_alarm(points: int) -> None:
    assert rate(points, 1.0, noise=0.04) == 0
    assert rate(points, 1.0, noise=0.08) <= 0.002


@pytest.mark.parametrize("points", [8, 30])
def test_a_constant_series_is_no_blind_spot(points: int) -> None:
    assert not found([500.0] * (points + 1))
    assert found([500.0] * points + [300.0])
    assert found([500.0] * points + [0.0])


def test_one_bad_day_does_not_blind_the_weeks_after_it() -> None:
    values = [1000.0 + 40 * ((index * 7) % 5 - 2) for index in range(31)]
    values[15] = 100.0
    assert not found(values)
    assert found([*values[:-1], 600.0])


def test_too_few_points_are_unknown() -> None:
    history = [(START + timedelta(days=index), 100.0) for index in range(PARAMETERS.min_points)]
    assert expected_interval(history[:-1], START + timedelta(days=50), PARAMETERS) is None
    assert expected_interval(history, START + timedelta(days=50), PARAMETERS) is not None


def test_the_judged_day_and_what_follows_take_no_part() -> None:
    history = [(START + timedelta(days=index), 100.0 + index % 3) for index in range(20)]
    day = START + timedelta(days=15)
    spoiled = [(when, value if when < day else 9.0) for when, value in history]
    assert expected_interval(history, day, PARAMETERS) == expected_interval(spoiled, day, PARAMETERS)


@pytest.mark.parametrize("probability", [1e-6, 0.3, 0.5, 0.9, 0.995, 0.9995, 0.99995, 1 - 1e-6])
def test_t_quantile_is_exact(probability: float) -> None:
    for degrees in (1, 2, 3, 4, 5, 6, 7, 8, 20, 33, 60, 200):
        assert t_quantile(probability, degrees) == pytest.approx(stats.t.ppf(probability, degrees), rel=1e-8, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=8, max_size=60), st.integers(2, 9))
def test_the_interval_contains_what_it_expects_and_scales(values: list[int], scale: int) -> None:
    dates = [START + timedelta(days=index) for index in range(len(values))]
    day = dates[-1] + timedelta(days=1)
    interval = expected_interval(list(zip(dates, values, strict=True)), day, PARAMETERS)
    assert interval is not None
    assert 0 <= interval.low <= interval.expected <= interval.high
    assert interval.points >= PARAMETERS.min_points * 0.8
