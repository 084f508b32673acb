"""A day whose completeness changes is touched, although none of its rows changes. Everything that was computed with the
old answer is computed again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ops_project.model.feed.arrival import Closed
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.landing.deliveries import Deliveries
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
FEED = feed_of(f"{TAKINGS}    business_date: sold_at\n    expected: daily\n")


def closed_on(*days: date) -> Feed:
    return FEED.model_copy(update={"closed": Closed(dates=days)})


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Monday's file has a row of Monday and one of Tuesday, and the day of landing is Monday."""
    home = Home(tmp_path, FEED)
    home.put(f"takings_{MONDAY}.csv", f"id,name,amount,sold_at\n1,,5,{MONDAY} 10:00\n2,,5,{TUESDAY} 10:00\n")
    home.land(now=noon(MONDAY))
    return home


def touched_since(home: Home, sequence: int) -> list[date]:
    found = home.rows(f"SELECT DISTINCT business_date FROM ops.touched_dates WHERE load_seq > {sequence} ORDER BY ALL")
    return [day for (day,) in found]


def newest(home: Home) -> int:
    [(found,)] = home.rows("SELECT max(load_seq) FROM ops.touched_dates")
    return int(found)


def test_a_day_that_has_rows_before_its_file_is_due(home: Home) -> None:
    consumed = newest(home)
    home.land(now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [TUESDAY], "it was not expected yet, and is missing now"
    consumed = newest(home)
    home.land(now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [], "nothing has changed since"


def test_a_day_that_the_contract_closes_and_opens_again(home: Home) -> None:
    home.land(now=noon(WEDNESDAY))
    consumed = newest(home)
    home.land(closed_on(TUESDAY, WEDNESDAY), now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [TUESDAY], "Wednesday has no row, so that nothing was computed from it"
    consumed = newest(home)
    home.land(now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [TUESDAY]


def test_the_next_file_has_a_later_number_than_the_calendar(home: Home) -> None:
    """A model that consumed the change of the calendar would otherwise pass over the file."""
    home.land(now=noon(WEDNESDAY))
    consumed = newest(home)
    home.put(f"takings_{TUESDAY}.csv", f"id,name,amount,sold_at\n3,,5,{TUESDAY} 10:00\n")
    home.land(now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [TUESDAY]


def test_a_first_file_that_comes_later(home: Home) -> None:
    """Before the first file came, nothing was known of the deliveries of the earlier days."""
    sunday, saturday, friday = date(2026, 11, 15), date(2026, 11, 14), date(2026, 11, 13)
    home.put(f"takings_{TUESDAY}.csv", f"id,name,amount,sold_at\n4,,5,{sunday} 10:00\n")
    home.land(now=noon(WEDNESDAY))
    consumed = newest(home)
    home.put(f"takings_{friday}.csv", f"id,name,amount,sold_at\n5,,5,{friday} 10:00\n")
    home.land(now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == [friday, sunday], f"{saturday} has no row"


def test_the_days_of_a_feed_that_is_switched_off_stay_expected(home: Home) -> None:
    """The files of such a feed are not taken. If its days were not expected, a month with half of its files would count
    as complete.
    """
    home.land(FEED.model_copy(update={"enabled": False}), now=noon(WEDNESDAY))
    expected = "SELECT business_date FROM ops.expected_dates WHERE business_date >= ? ORDER BY ALL"
    assert home.connection.execute(expected, [MONDAY]).fetchall() == [(MONDAY,), (TUESDAY,), (WEDNESDAY,)]


def test_a_day_whose_file_has_come_is_not_touched_again(home: Home) -> None:
    """Such a day is complete, whatever the calendar says. Building it again would give the same rows."""
    home.put(f"takings_{TUESDAY}.csv", f"id,name,amount,sold_at\n3,,5,{TUESDAY} 10:00\n")
    home.land(now=noon(TUESDAY))
    [(loaded,)] = home.rows("SELECT max(load_seq) FROM ops.batches")
    assert touched_since(home, loaded) == [], "the file touched it"
    home.land(closed_on(MONDAY, TUESDAY), now=noon(TUESDAY))
    assert touched_since(home, loaded) == []


def test_the_later_days_of_a_removed_feed_are_unknown(home: Home) -> None:
    """If these days were known to have no data, a model that still names the feed would count them as complete."""
    other = feed_of(
        f"{TAKINGS.replace('takings_', 'other_')}    business_date: sold_at\n    expected: daily\n", "other"
    )
    ensure_tables(home.connection, [other])
    consumed = newest(home)
    home.put(f"other_{WEDNESDAY}.csv", f"id,name,amount,sold_at\n1,,5,{WEDNESDAY} 10:00\n")
    home.land(other, now=noon(WEDNESDAY))
    expected = "SELECT business_date FROM ops.expected_dates WHERE feed = 'takings' AND business_date >= ? ORDER BY ALL"
    assert home.connection.execute(expected, [MONDAY]).fetchall() == [(MONDAY,), (TUESDAY,), (WEDNESDAY,)]
    touched = (
        f"SELECT business_date FROM ops.touched_dates WHERE load_seq > {consumed} AND feed = 'takings' ORDER BY ALL"
    )
    assert home.rows(touched) == [(TUESDAY,), (WEDNESDAY,)]
    consumed = newest(home)
    home.land(other, now=noon(WEDNESDAY))
    assert touched_since(home, consumed) == []


def test_the_first_file_of_two_plausible_ranges(home: Home) -> None:
    home.put(f"takings_{WEDNESDAY}.csv", f"id,name,amount,sold_at\n3,,5,{WEDNESDAY} 10:00\n")
    home.land(now=noon(WEDNESDAY))
    deliveries = Deliveries(home.connection, FEED.name, home.archive)
    assert [deliveries.first(day) for day in (MONDAY, TUESDAY, date(2026, 11, 19))] == [MONDAY, WEDNESDAY, None]
    [monday, _] = deliveries.all()
    deliveries.add(replace(monday, batch_id="refused", status="rejected", business_date=TUESDAY, load_seq=8), [])
    assert deliveries.first(TUESDAY) == WEDNESDAY, "a refused file is none"
    deliveries.add(replace(monday, batch_id="late", business_date=TUESDAY, load_seq=9), [])
    assert deliveries.first(TUESDAY) == TUESDAY
    deliveries.add(replace(monday, batch_id="worse", status="rejected", load_seq=10), [monday.batch_id])
    assert deliveries.first(MONDAY) == TUESDAY
