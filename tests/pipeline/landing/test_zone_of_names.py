"""The date in a file's name is a day of the zone that its feed states."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

EVENING_IN_NEW_YORK = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)
FILE = "takings_2026-11-21.csv"


@pytest.mark.parametrize(("stated", "waits"), [("    date_timezone: UTC\n", False), ("", True)])
def test_a_file_named_by_the_day_in_utc_is_not_dated_after_today(tmp_path: Path, stated: str, waits: bool) -> None:
    home = Home(tmp_path, feed_of(TAKINGS + stated), now=EVENING_IN_NEW_YORK)
    home.put(FILE, "id,name,amount,sold_at\n1,a,2.00,2026-11-21 00:10:00\n", arrived=EVENING_IN_NEW_YORK)
    result = home.land()
    assert [batch.status for batch in result.batches] == ([] if waits else ["loaded"])
    assert home.left() == ([FILE] if waits else [])


def test_a_zone_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Mars/Olympus"):
        feed_of(TAKINGS + "    date_timezone: Mars/Olympus\n")
