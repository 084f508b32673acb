"""A record that its source sends again with another date counts once, on the new date, in whole pipelines."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.numbers.site import Site

FIFTH, SIXTH = date(2026, 5, 5), date(2026, 5, 6)
MODELS = ("stg_transactions", "fact_transactions", "int_unit_event_days")


@pytest.fixture(scope="module")
def investor(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("moved") / "home", "investor")
    for day, late in ((FIFTH, "05"), (SIXTH, "06")):
        site.put(
            "transactions",
            day,
            [
                {
                    "transaction_id": 1,
                    "unit_id": "U1",
                    "occurred_at": f"2026-05-{late} 10:00:00",
                    "unit_revenue": 10,
                    "unit_cost": 4,
                    "updated_at": f"2026-05-{late} 11:00:00",
                }
            ],
        )
        site.put(
            "product_events",
            day,
            [{"event_id": 1, "unit_id": "U1", "occurred_at": f"2026-05-{late} 10:00:00", "duration_seconds": 60}],
        )
        site.run(*MODELS)
    return site


def test_a_transaction_counts_on_its_new_day(investor: Site) -> None:
    assert investor.ask("select business_date, revenue from silver.fact_transactions") == [(SIXTH, 10)]


def test_an_event_counts_on_its_new_day(investor: Site) -> None:
    assert investor.ask("select business_date, events from silver.int_unit_event_days") == [(SIXTH, 1)]


def test_a_corrected_file_without_them_brings_them_back(investor: Site) -> None:
    investor.put("transactions", SIXTH, [])
    investor.put("product_events", SIXTH, [])
    investor.run(*MODELS)
    assert investor.ask("select business_date, revenue from silver.fact_transactions") == [(FIFTH, 10)]
    assert investor.ask("select business_date, events from silver.int_unit_event_days") == [(FIFTH, 1)]


def test_a_listener_across_midnight_is_counted_once_and_a_doubled_stream_is_found(tmp_path: Path) -> None:
    site = Site(tmp_path / "home", "streaming")
    site.put("songs", FIFTH, [{"song_id": "A"}])
    site.put("users", FIFTH, [{"user_id": "U"}])
    stream = {"stream_id": 1, "user_id": "U", "song_id": "A"}
    site.put("streams", FIFTH, [{**stream, "listened_at": "2026-05-05 23:59:50"}], part="2000")
    site.run()
    site.put("streams", SIXTH, [{**stream, "listened_at": "2026-05-06 00:00:10"}], part="0000")
    site.run()
    assert site.ask("select business_date, listens from gold.kpi_genre_daily") == [(SIXTH, 1)]
    assert not site.build("int_streams", command="test").failed_tests
    with site.connect() as connection:
        connection.execute("update bronze.streams set _load_seq = _load_seq + 1 where listened_at < '2026-05-06'")
        connection.execute("delete from ops.tested")
    assert len(site.build("int_streams", command="test").failed_tests) == 1
