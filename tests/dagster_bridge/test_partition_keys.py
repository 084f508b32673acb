"""A list of partitions is kept for a day, and equals the list that Dagster makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ops_project.dagster_bridge import partition_keys

NOON = datetime(2026, 3, 4, 17, tzinfo=UTC)
DEFINITIONS = [
    dg.DailyPartitionsDefinition(start_date="2026-02-20", timezone="America/New_York", end_offset=2),
    dg.HourlyPartitionsDefinition(start_date="2026-03-03-00:00"),
    dg.DailyPartitionsDefinition(start_date="2027-01-01"),
    dg.WeeklyPartitionsDefinition(start_date="2026-01-01", end_date="2026-02-15"),
    dg.DailyPartitionsDefinition(start_date="2026-02-20", end_date="2026-03-10"),
    dg.DailyPartitionsDefinition(start_date="2026/02/20", fmt="%Y/%m/%d"),
    dg.DailyPartitionsDefinition(start_date="2026-02-20", hour_offset=7),
    dg.DailyPartitionsDefinition(start_date="2026-02-20", exclusions=["0 0 * * 6"]),
    # A place that left out the 30th of December 2011, and one in which a day can begin at one o'clock.
    dg.DailyPartitionsDefinition(start_date="2011-12-25", timezone="Pacific/Apia"),
    dg.DailyPartitionsDefinition(start_date="2018-10-30", timezone="America/Sao_Paulo"),
]
NAMES = ["daily", "hourly", "not begun", "ended", "days that end", "other names", "from seven", "no Saturdays", "Apia"]
NAMES += ["Sao Paulo"]


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dg.TimeWindowPartitionsDefinition, "get_partition_keys", partition_keys._keys)
    partition_keys._kept.cache_clear()


@pytest.mark.parametrize("definition", DEFINITIONS, ids=NAMES)
def test_the_list_is_dagsters_own_at_each_time(definition: dg.TimeWindowPartitionsDefinition) -> None:
    for hours in (0, 5, 7, 24, 24 * 40):
        at = NOON + timedelta(hours=hours)
        with dg.partition_loading_context(effective_dt=at):
            assert definition.get_partition_keys() == partition_keys._list_keys(definition), at
        assert definition.get_partition_keys(at) == partition_keys._list_keys(definition, at), at


def test_it_is_listed_once_a_day_and_nobody_can_change_it() -> None:
    for hours in (0, 1, 2, 24):
        with dg.partition_loading_context(effective_dt=NOON + timedelta(hours=hours)):
            list(DEFINITIONS[0].get_partition_keys()).clear()
            found = DEFINITIONS[0].get_partition_keys()
            assert found
            if isinstance(found, list):
                found.clear()
    assert partition_keys._kept.cache_info().misses == 2
