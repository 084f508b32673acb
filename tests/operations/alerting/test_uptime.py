"""For how much of the measured time a service level was met, also if the clock was set differently in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project.operations.alerting.service_levels.uptime import (
    KEPT,
    WINDOW,
    Interval,
    forgotten,
    looked,
    measured_time,
    uptime,
)

T = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
HALF_A_MINUTE = timedelta(seconds=30)


def _looks(measured, first, last, up, step=HALF_A_MINUTE):
    at = first
    while at <= last:
        measured = looked(measured, at, up)
        at += step
    return measured


def test_what_a_look_found_holds_until_the_next_if_that_comes_soon():
    measured = _looks([], T, T + HOUR, True)
    measured = _looks(measured, T + HOUR + HALF_A_MINUTE, T + 2 * HOUR, False)
    assert measured == [
        Interval(T, T + HOUR + HALF_A_MINUTE, True),
        Interval(T + HOUR + HALF_A_MINUTE, T + 2 * HOUR, False),
    ]
    measured = looked(measured, T + 2 * HOUR + 11 * MINUTE, False)
    assert measured_time(measured, T + 3 * HOUR) == 2 * HOUR, "nobody looked for longer than a look holds"
    assert looked(measured, T + 2 * HOUR + 11 * MINUTE, False) == measured


@pytest.mark.parametrize("ahead", [5 * MINUTE, 2 * HOUR, timedelta(days=2), timedelta(days=45)])
@pytest.mark.parametrize("long", [timedelta(), 3 * HOUR])
def test_a_rehearsal_under_a_later_clock_neither_stops_nor_undoes_the_measuring(ahead, long):
    measured = _looks([], T, T + HOUR, True)
    measured = _looks(measured, T + HOUR + ahead, T + HOUR + ahead + long, True)
    assert uptime(measured, T + HOUR) == 100
    assert measured_time(measured, T + HOUR) == HOUR
    measured = _looks(measured, T + HOUR + HALF_A_MINUTE, T + 10 * HOUR, False)
    # At the same moment, a look of the rehearsal may take the place of the earlier look.
    assert 10 * HOUR - HALF_A_MINUTE <= measured_time(measured, T + 10 * HOUR) <= 10 * HOUR
    assert uptime(measured, T + 10 * HOUR) == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize("long", [timedelta(), HOUR])
def test_a_rehearsal_under_an_earlier_clock_decides_of_its_own_time_only(long):
    measured = _looks([], T, T + 10 * HOUR, True)
    measured = _looks(measured, T + 2 * HOUR, T + 2 * HOUR + long, False)
    measured = _looks(measured, T + 10 * HOUR + HALF_A_MINUTE, T + 20 * HOUR, True)
    assert measured_time(measured, T + 20 * HOUR) == 20 * HOUR
    assert uptime(measured, T + 20 * HOUR) == pytest.approx(100 - 100 * (long / (20 * HOUR)), abs=0.1)


def test_what_is_ahead_of_the_clock_does_not_count():
    measured = [Interval(T, T + 2 * HOUR, True), Interval(T + 5 * HOUR, T + 6 * HOUR, False)]
    assert measured_time(measured, T + HOUR) == HOUR
    assert uptime(measured, T + 3 * HOUR) == 100


def test_what_is_too_old_does_not_count_and_goes_at_last():
    measured = [Interval(T, T + HOUR, True)]
    assert uptime(measured, T + HOUR + WINDOW) is None
    assert not forgotten(measured, T + HOUR + WINDOW)
    assert forgotten(measured, T + HOUR + KEPT)
    assert looked(measured, T + HOUR + KEPT, True) == [Interval(T + HOUR + KEPT, T + HOUR + KEPT, True)]
