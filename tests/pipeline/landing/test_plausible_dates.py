"""A date that is not plausible for a feed costs its row, and is never the first or the last day of a table."""

from __future__ import annotations

from datetime import date

import pytest

from ops_project.catalog import load
from ops_project.model.document import ConfigError
from ops_project.pipeline import landing
from ops_project.settings import Settings
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

ORDERS = """
    inbound: "takings_{date:%Y-%m-%d}{revision}.csv"
    key: id
    business_date: ordered
    columns:
      id: integer
      ordered: {type: KIND}
      signup: date
    expected: daily
"""
HEAD = "id,ordered,signup\n"


def landed(tmp_path, body: str, *days: str) -> Home:
    home = Home(tmp_path, feed_of(body))
    clock = " 10:00:00" if "timestamp" in body else ""
    home.put("takings_2026-11-19.csv", HEAD + "".join(f"{n},{day}{clock},{day}\n" for n, day in enumerate(days)))
    home.land()
    return home


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamp, timezone: America/New_York"])
def test_a_business_date_is_plausible_until_tomorrow(tmp_path, kind):
    days = ["2026-11-19", "2026-11-21", "2026-11-22", "2206-01-05", "9999-12-31", "0001-01-01", "1899-12-31"]
    home = landed(tmp_path, ORDERS.replace("KIND", kind), *days)
    assert home.bronze("business_date") == [(date(2026, 11, 19),), (date(2026, 11, 21),)]
    reasons = home.rows("SELECT line, reason FROM ops.quarantine ORDER BY line")
    assert [line for line, _ in reasons] == [4, 5, 6, 7, 8]
    assert all("is not between 1900-01-01 and 2026-11-21" in reason for _, reason in reasons)
    assert home.rows("SELECT max(business_date) FROM ops.touched_dates") == [(date(2026, 11, 21),)]


def test_the_range_stands_in_the_contract(tmp_path):
    body = ORDERS.replace("KIND", "date") + "    plausible: {from: 2026-01-01, to: 2026-12-31, columns: [signup]}\n"
    home = landed(tmp_path, body, "2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")
    assert home.bronze("id") == [(1,), (2,)]


def test_other_columns_are_free_where_the_contract_says_nothing(tmp_path):
    home = Home(tmp_path, feed_of(ORDERS.replace("KIND", "date")))
    home.put("takings_2026-11-19.csv", HEAD + "1,2026-11-19,9999-12-31\n")
    home.land()
    assert home.bronze("signup") == [(date(9999, 12, 31),)]


def test_a_name_dated_before_it_is_rejected_and_begins_no_history(tmp_path):
    home = Home(tmp_path, feed_of(ORDERS.replace("KIND", "date")))
    home.put("takings_0001-01-01.csv", HEAD + "1,2026-11-19,2026-11-19\n")
    home.put("takings_2026-11-19.csv", HEAD + "2,2026-11-19,2026-11-19\n")
    result = home.land()
    assert [batch.finding for batch in result.batches] == ["data_invalid", None]
    assert [finding.kind for finding in result.findings].count("source_missing") == 0


def test_a_column_that_is_no_date_is_refused():
    with pytest.raises(ConfigError, match="plausible: 'name' is not a date or timestamp column; valid: sold_at"):
        feed_of(TAKINGS + "    plausible: {columns: [name]}\n")


def test_the_platforms_start_is_the_first_plausible_date(tmp_path):
    catalog = load(Settings(home=tmp_path))
    assert catalog.feeds["orders"].plausible.first == catalog.platform.start_date
    assert catalog.feeds["customers"].plausible.columns == ("signup_date",)


ONLY_NAMED = """
    inbound: "takings_{date:%Y-%m-%d}{revision}.csv"
    key: id
    columns:
      id: integer
      signup: date
"""


@pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("body", [ORDERS.replace("KIND", "date"), ONLY_NAMED], ids=["in a column", "in the name"])
def test_rows_that_an_earlier_version_landed_are_told_until_a_replay_takes_them_out(tmp_path, body, end):
    feed = feed_of(body)
    home = Home(tmp_path, feed)
    row = f"1,{end},2020-01-01\n2,2026-11-19,2020-01-01\n" if "ordered" in body else "1,2020-01-01\n"
    head = HEAD if "ordered" in body else "id,signup\n"
    in_name = "ordered" not in body
    home.put("takings_2026-11-19.csv", head + row)
    home.land()
    earlier_version(home, end, in_name)
    for _ in range(2):
        told = home.land()
        [finding] = [one for one in told.findings if "earlier version" in one.message]
        assert f"holds 1 row with business_date {end}" in finding.message
    assert home.rows("SELECT count(*) FROM ops.findings WHERE message LIKE '%earlier version%'") == [(1,)]
    command = finding.message.partition("--batch ")[2].partition("`")[0]
    landing.replay(
        home.connection, feed, landing.ReplayOrder("takings", batches=(command,)), archive=home.archive, now=home.now
    )
    home.land()
    assert home.rows("SELECT count(*) FROM ops.findings WHERE state = 'open' AND message LIKE '%earlier version%'") == [
        (0,)
    ]
    assert home.rows(f"SELECT count(*) FROM bronze.takings WHERE business_date = DATE '{end}'") == [(0,)]
    assert home.bronze("id") == ([] if in_name else [(2,)])


def earlier_version(home: Home, end: str, in_name: bool) -> None:
    """Make the home as it was when every date was loaded."""
    home.connection.execute("DELETE FROM ops.quarantine")
    if in_name:
        for table in ("bronze.takings", "ops.batches", "ops.touched_dates"):
            home.connection.execute(f"UPDATE {table} SET business_date = DATE '{end}'")
        home.connection.execute(f"UPDATE ops.batches SET file_name = 'takings_{end}.csv'")
        return
    home.connection.execute(
        f"INSERT INTO bronze.takings BY NAME SELECT * REPLACE (1 AS id, DATE '{end}' AS business_date) FROM bronze.takings"
    )
    home.connection.execute("UPDATE ops.batches SET rows_loaded = 2, rows_quarantined = 0")


def test_rows_that_came_before_another_clock_are_not_told(tmp_path):
    home = landed(tmp_path, ORDERS.replace("KIND", "date"), "2026-11-19", "2026-11-20")
    assert home.land(now=home.now.replace(month=3)).findings == []
