"""Rows that are valid for some days (`valid_days`) also change the days after their own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
TOUCHED = "SELECT list(business_date ORDER BY 1) FROM ops.touched_dates GROUP BY load_seq ORDER BY load_seq"


def test_a_delivery_and_its_correction_touch_the_days_on_which_its_rows_hold(tmp_path: Path) -> None:
    home = Home(tmp_path, feed_of(TAKINGS + "    valid_days: 2\n"))
    home.put("takings_2026-11-01.csv", HEAD + "1,a,1.00,\n")
    home.land()
    home.put("takings_2026-11-01_v2.csv", HEAD + "1,a,2.00,\n")
    home.land()
    days = [date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)]
    assert home.rows(TOUCHED) == [(days,), (days,)]
    assert home.rows("SELECT days FROM ops.valid_days") == [(2,)]
