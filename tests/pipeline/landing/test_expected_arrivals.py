"""Which dates are expected, when they are due, and what is late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ops_project.model.feed.arrival import Arrival, Closed, Expected, cron_values
from ops_project.pipeline.landing.decide.arrival import (
    SILENT_DATES,
    LatenessReason,
    deadline,
    is_expected,
    lateness,
    missing_dates,
    times_are_the_sources,
)
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

NOVEMBER = [date(2026, 11, 1) + timedelta(days=n) for n in range(30)]


def days(expected, closed=None) -> list[int]:
    rule, shut = Expected.model_validate(expected), Closed.model_validate(closed or {})
    return [day.day for day in NOVEMBER if is_expected(day, rule, shut)]


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        ("daily", list(range(1, 31))),
        ("weekdays", [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 23, 24, 25, 26, 27, 30]),
        (["mon", "friday"], [2, 6, 9, 13, 16, 20, 23, 27, 30]),
        ("weekly", [2, 9, 16, 23, 30]),
        ({"weekly": "sunday"}, [1, 8, 15, 22, 29]),
        ("monthly", [1]),
        ({"monthly": 31}, [30]),
        ({"monthly": "last"}, [30]),
        ({"cron": "0 6 */10 * *"}, [1, 11, 21]),
        ({"cron": "0 6 15 11 mon"}, [2, 9, 15, 16, 23, 30]),
        ({"cron": "0 6 * 10 *"}, []),
        ("never", []),
    ],
)
def test_expected_dates(expected, wanted):
    assert days(expected) == wanted


def test_closed_days():
    assert 26 not in days("daily", {"holidays": "US"})  # This day is Thanksgiving.
    assert days("daily", {"dates": ["2026-11-02"], "yearly": ["11-01"]}) == list(range(3, 31))


@pytest.mark.parametrize("text", ["0", "32", "5-2", "*/0", "x", ""])
def test_cron_fields_that_are_none(text):
    with pytest.raises(ValueError, match="cron"):
        cron_values(text, 1, 31)


def test_deadlines_follow_the_zone_over_both_changes_of_the_clock():
    arrival = Arrival.model_validate({"by": "01:30", "timezone": "America/New_York"})
    assert deadline(date(2026, 3, 6), arrival) == datetime(2026, 3, 7, 6, 30, tzinfo=UTC)
    assert deadline(date(2026, 3, 8), arrival) == datetime(2026, 3, 9, 5, 30, tzinfo=UTC)
    assert deadline(date(2026, 10, 31), arrival) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert deadline(date(2026, 11, 1), arrival) == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


def test_by_unquoted_in_yaml_is_not_ninety():
    assert feed_of(TAKINGS + "    arrival: {by: 01:30}\n").arrival.by.isoformat() == "01:30:00"


DAILY = feed_of(TAKINGS + '    expected: daily\n    arrival: {by: "02:00", timezone: UTC, grace: 6h}\n')


def test_missing_begins_with_the_first_file_and_ends_with_what_is_due():
    known = [date(2026, 11, 2), date(2026, 11, 4)]
    at = datetime(2026, 11, 6, 1, 59, tzinfo=UTC)
    assert missing_dates(DAILY, known, at) == [date(2026, 11, 3)]
    assert missing_dates(DAILY, known, at + timedelta(minutes=1)) == [date(2026, 11, 3), date(2026, 11, 5)]
    assert missing_dates(DAILY, [], at) == []


def test_start_says_from_when():
    feed = feed_of(TAKINGS + "    expected: daily\n    start: 2026-11-01\n")
    assert missing_dates(feed, [], datetime(2026, 11, 3, 12, tzinfo=UTC)) == [date(2026, 11, 1), date(2026, 11, 2)]


def test_a_silent_feed_is_not_missed_for_ever():
    assert len(missing_dates(DAILY, [date(2010, 12, 1)], datetime(2026, 11, 20, tzinfo=UTC))) == SILENT_DATES


DUE = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
KNOWN = {"known_since": date(2026, 10, 1)}


@pytest.mark.parametrize(
    ("after", "known", "late", "reason"),
    [
        (0, KNOWN, False, LatenessReason.IN_TIME),
        (1, KNOWN, True, LatenessReason.WITHIN_GRACE),
        (1, {}, False, LatenessReason.HISTORY),
        (361, KNOWN, False, LatenessReason.HISTORY),
        (10_000, KNOWN | {"was_missing": True}, True, LatenessReason.AFTER_MISSING),
        (1, {"own_times": True}, True, LatenessReason.BY_ITS_TIME),
        (10_000, KNOWN | {"own_times": True}, True, LatenessReason.BY_ITS_TIME),
        (1, KNOWN | {"own_times": True, "was_loaded": True}, False, LatenessReason.CORRECTION),
        (10_000, {"known_since": date(2026, 11, 2), "own_times": True}, False, LatenessReason.HISTORY),
    ],
)
def test_lateness(after, known, late, reason):
    found = lateness(DAILY, date(2026, 11, 1), DUE + timedelta(minutes=after), **known)
    assert (found.late, found.reason) == (late, reason)


def test_times_are_evidence_where_at_least_half_of_the_files_came_in_theirs():
    punctual = [(day, datetime.combine(day, DUE.time(), UTC) + timedelta(days=1)) for day in NOVEMBER[:4]]
    late = [(day, moment + timedelta(minutes=1)) for day, moment in punctual]
    assert times_are_the_sources(DAILY, [*punctual[:2], *late[2:]])
    assert not times_are_the_sources(DAILY, [*punctual[:1], *late[2:]])
    assert not times_are_the_sources(DAILY, late[:1])
    assert not times_are_the_sources(DAILY, [])


def test_files_copied_without_their_times_tell_nothing():
    copied = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert not times_are_the_sources(DAILY, [(day, copied) for day in NOVEMBER[:19]])


def test_a_file_older_than_the_moment_it_came_is_called_late_without_contradiction(tmp_path: Path) -> None:
    text = "id,name,amount,sold_at\n1,a,1.00,{day} 10:00:00\n"
    home = Home(tmp_path, feed_of(TAKINGS + '    expected: daily\n    arrival: {by: "06:30", timezone: UTC}\n'))
    home.put("takings_2026-11-18.csv", text.format(day="2026-11-18"))
    home.land(now=datetime(2026, 11, 19, 6, 0, tzinfo=UTC))
    home.land(now=datetime(2026, 11, 20, 7, 10, tzinfo=UTC))
    assert home.open_findings() == [("source_missing", date(2026, 11, 19))]
    home.put("takings_2026-11-19.csv", text.format(day="2026-11-19"), datetime(2026, 11, 20, 5, 45, tzinfo=UTC))
    home.land(now=datetime(2026, 11, 20, 8, 0, tzinfo=UTC))
    [(said,)] = home.rows("SELECT message FROM ops.findings WHERE kind = 'source_late'")
    assert "not there at 2026-11-20 07:10 UTC" in said and "due (2026-11-20 06:30 UTC)" in said
    assert "file itself, 2026-11-20 05:45 UTC" in said and "arrived" not in said


def test_a_file_that_came_after_its_deadline_says_both_times(tmp_path: Path) -> None:
    text = "id,name,amount,sold_at\n1,a,1.00,{day} 10:00:00\n"
    home = Home(tmp_path, feed_of(TAKINGS + '    expected: daily\n    arrival: {by: "06:30", timezone: UTC}\n'))
    home.put("takings_2026-11-18.csv", text.format(day="2026-11-18"))
    home.land(now=datetime(2026, 11, 19, 6, 0, tzinfo=UTC))
    home.land(now=datetime(2026, 11, 20, 7, 10, tzinfo=UTC))
    home.put("takings_2026-11-19.csv", text.format(day="2026-11-19"), datetime(2026, 11, 20, 7, 30, tzinfo=UTC))
    home.land(now=datetime(2026, 11, 20, 8, 0, tzinfo=UTC))
    [(said,)] = home.rows("SELECT message FROM ops.findings WHERE kind = 'source_late'")
    assert said.endswith("arrived 2026-11-20 07:30 UTC, due 2026-11-20 06:30 UTC")
