"""The age of the data, its limits, closed days, and what does not make a table fresh."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_checks.primitives import freshness
from asset_checks.specs import TableSpec
from tests.asset_checks.warehouse import ZONE, Warehouse

EVENTS = TableSpec(schema="silver", table="events", tier=1, time_column="occurred_at", date_column="business_date")
DAILY = TableSpec(schema="bronze", table="orders", tier=2, time_column="business_date")
NEWEST = datetime(2026, 3, 9, 12, tzinfo=UTC).replace(tzinfo=None)  # the form in which the warehouse stores it


def events(*moments: datetime) -> Warehouse:
    warehouse = Warehouse()
    warehouse.table("silver.events", [{"occurred_at": moment, "business_date": moment.date()} for moment in moments])
    return warehouse


@pytest.mark.parametrize(
    ("age", "state", "severity"),
    [
        (timedelta(hours=24) - timedelta(microseconds=1), "ok", "low"),
        (timedelta(hours=24), "stale", "high"),
        (timedelta(hours=48) - timedelta(microseconds=1), "stale", "high"),
        (timedelta(hours=48), "very stale", "critical"),
    ],
)
def test_the_edges_are_exact(age: timedelta, state: str, severity: str) -> None:
    verdict = freshness.evaluate(events(NEWEST).situation(NEWEST.replace(tzinfo=UTC) + age), EVENTS)
    assert verdict.severity == severity
    assert verdict.evidence["state"] == (state if state != "ok" else "fresh")


def test_very_stale_is_critical_for_tier_1_only() -> None:
    assert freshness.severity("very stale", 1, (1,)) == "critical"
    assert freshness.severity("very stale", 2, (1,)) == "high"
    assert freshness.severity("stale", 1, (1,)) == "high"


def test_rebuilding_an_old_partition_makes_nothing_fresh() -> None:
    warehouse = events(NEWEST - timedelta(days=5), NEWEST)
    now = NEWEST.replace(tzinfo=UTC) + timedelta(hours=30)
    before = freshness.evaluate(warehouse.situation(now), EVENTS)
    warehouse.connection.execute("delete from silver.events where business_date = date '2026-03-04'")
    warehouse.table("silver.events", [{"occurred_at": NEWEST - timedelta(days=5), "business_date": date(2026, 3, 4)}])
    after = freshness.evaluate(warehouse.situation(now), EVENTS)
    assert (before.status, after.status) == ("failed", "failed")
    assert before.evidence == after.evidence


def test_data_from_the_future_makes_nothing_fresh() -> None:
    warehouse = events(NEWEST, NEWEST.replace(year=2099))
    verdict = freshness.evaluate(warehouse.situation(NEWEST.replace(tzinfo=UTC) + timedelta(hours=50)), EVENTS)
    assert verdict.evidence["state"] == "very stale"


def test_a_business_date_lasts_until_its_local_end() -> None:
    warehouse = Warehouse()
    warehouse.table("bronze.orders", [{"business_date": date(2026, 3, 9)}])
    # New York moved its clocks on 8 March, so the day of the 9th ends at 04:00 UTC.
    end = datetime(2026, 3, 10, 4, tzinfo=UTC)
    assert freshness.end_of(date(2026, 3, 9), ZONE) == end
    assert freshness.evaluate(warehouse.situation(end + timedelta(hours=23, minutes=59)), DAILY).status == "ok"
    assert freshness.evaluate(warehouse.situation(end + timedelta(hours=24)), DAILY).status == "failed"


def test_closed_days_do_not_count() -> None:
    weekdays = TableSpec(
        schema="bronze", table="orders", time_column="business_date", open_on=lambda day: day.weekday() < 5
    )
    warehouse = Warehouse()
    warehouse.table("bronze.orders", [{"business_date": date(2026, 1, 9)}])  # This day is a Friday.
    monday_8 = datetime(2026, 1, 12, 13, tzinfo=UTC)
    assert freshness.evaluate(warehouse.situation(monday_8), weekdays).evidence["hours"] == 8
    tuesday_0 = datetime(2026, 1, 13, 5, tzinfo=UTC)
    assert freshness.evaluate(warehouse.situation(tuesday_0), weekdays).evidence["state"] == "stale"
    assert freshness.evaluate(warehouse.situation(monday_8), DAILY).evidence["state"] == "very stale"


def test_an_empty_table_is_unknown_and_no_pass() -> None:
    warehouse = Warehouse()
    warehouse.connection.execute("create table silver.events (occurred_at timestamp, business_date date)")
    verdict = freshness.evaluate(warehouse.situation(), EVENTS)
    assert (verdict.status, verdict.passed) == ("unknown", False)


moments = st.datetimes(NEWEST.replace(year=2025), NEWEST.replace(year=2027))


@given(moments, moments, st.sets(st.integers(0, 6)))
def test_closed_days_only_ever_shorten_the_age(one: datetime, other: datetime, closed: set[int]) -> None:
    since, now = (moment.replace(tzinfo=UTC) for moment in sorted((one, other)))
    age = freshness.counted_age(since, now, ZONE, lambda day: day.weekday() not in closed)
    assert timedelta() <= age <= now - since
    assert freshness.counted_age(since, now, ZONE, lambda _: True) == now - since
    assert freshness.counted_age(since, now, ZONE, lambda _: False) == timedelta()
