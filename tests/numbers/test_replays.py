"""The content of a later file about earlier days reaches the tables of those days."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.numbers.site import Site

FOURTH, FIFTH, SIXTH = date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6)


def test_songs_that_come_late_reach_the_charts_and_the_verdicts_of_the_days_after(tmp_path: Path) -> None:
    site = Site(tmp_path / "home", "streaming")
    site.put("songs", FOURTH, [{"song_id": "A"}])
    for day in (FOURTH, FIFTH, SIXTH):
        site.put("users", day, [{"user_id": "U"}])
        site.put(
            "streams",
            day,
            [
                {"stream_id": day.day * 10 + number, "user_id": "U", "song_id": song, "listened_at": f"{day} 10:00:00"}
                for number, song in enumerate("AB")
            ],
        )
    site.run()
    listens = "select business_date, sum(listens) from gold.kpi_genre_daily group by all order by all"
    wrong = (
        "select business_date, max(reference_violations) from silver.rec_stream_validation group by all order by all"
    )
    assert site.ask(listens) == [(FOURTH, 1), (FIFTH, 1), (SIXTH, 1)]
    assert site.ask(wrong) == [(FOURTH, 1), (FIFTH, 1), (SIXTH, 1)]
    site.put("songs", FIFTH, [{"song_id": "A", "title": "New"}, {"song_id": "B"}])
    site.run()
    assert site.ask(listens) == [(FOURTH, 1), (FIFTH, 2), (SIXTH, 2)]
    assert site.ask(wrong) == [(FOURTH, 1), (FIFTH, 0), (SIXTH, 0)]
    titles = "select business_date, title from gold.kpi_top_songs where song_id = 'A' order by all"
    assert site.ask(titles) == [(FOURTH, "A title"), (FIFTH, "New"), (SIXTH, "New")]


def test_units_that_become_known_later_mend_the_verdict_of_earlier_sales(tmp_path: Path) -> None:
    site = Site(tmp_path / "home", "investor")
    site.put(
        "transactions",
        FOURTH,
        [
            {
                "transaction_id": 1,
                "unit_id": "U1",
                "occurred_at": f"{FOURTH} 10:00:00",
                "unit_revenue": 1,
                "unit_cost": 1,
            }
        ],
    )
    site.put("product_events", FOURTH, [])
    models = ("stg_transactions", "fact_transactions", "int_unit_event_days", "rec_transaction_units")
    site.run(*models)
    unknown = "select unknown_units from silver.rec_transaction_units"
    assert site.ask(unknown) == [(1,)]
    site.put("product_events", FIFTH, [{"event_id": 1, "unit_id": "U1", "occurred_at": f"{FIFTH} 10:00:00"}])
    site.run(*models)
    assert site.ask(unknown) == [(0,)]
