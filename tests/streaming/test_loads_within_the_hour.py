"""Streams that refer to unknown songs are counted over every hour of loading, across loads and across dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.numbers.site import Row, Site

FIRST_LOAD = datetime(2026, 3, 4, 14, tzinfo=UTC)


def unknown(day: date, number: int) -> list[Row]:
    """Eight streams of unknown songs, too far apart for eleven of them to fall into one hour of listening."""
    return [
        {
            "stream_id": number * 100 + hour,
            "user_id": "U",
            "song_id": "SNG9999999",
            "listened_at": f"{day} {hour:02}:05:00",
            "listen_seconds": 30,
        }
        for hour in range(8)
    ]


def test_a_later_load_within_the_hour_judges_the_dates_of_the_earlier_one_anew(tmp_path: Path) -> None:
    site = Site(tmp_path / "home", "streaming")
    site.put("songs", date(2026, 3, 1), [{"song_id": "A"}])
    site.put("users", date(2026, 3, 1), [{"user_id": "U"}])
    seen = []
    for number, (day, minutes) in enumerate([(2, 0), (4, 40), (4, 120)], start=1):
        on = date(2026, 3, day)
        site.clock = FIRST_LOAD + timedelta(minutes=minutes) - timedelta(hours=1)
        site.put("streams", on, unknown(on, number), part=f"2{number}00")
        site.run("+rec_stream_validation")
        seen += site.ask(
            "select worst_reference_violations, is_reference_within from silver.rec_stream_validation"
            " where business_date = '2026-03-02' and clock = 'load'"
        )
    assert seen == [(8, True), (16, False), (16, False)]
