from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

NEW_YORK = ZoneInfo("America/New_York")


def ticks(definitions: dg.Definitions, first: datetime, days: int) -> list[datetime]:
    schedule = definitions.get_schedule_def("master_pipeline_schedule")
    found = []
    for tick in (
        schedule.get_execution_time_iterator(first.timestamp())
        if hasattr(schedule, "get_execution_time_iterator")
        else _iterate(schedule, first)
    ):
        moment = datetime.fromtimestamp(tick.timestamp(), UTC).astimezone(NEW_YORK)
        if moment >= first + timedelta(days=days):
            return found
        found.append(moment)
    return found


def _iterate(schedule, first: datetime):
    from dagster._utils.schedules import cron_string_iterator

    return cron_string_iterator(first.timestamp(), schedule.cron_schedule, schedule.execution_timezone)


def test_the_master_is_the_only_live_trigger_of_ecommerce_at_two_in_new_york(definitions: dg.Definitions) -> None:
    schedules = list(definitions.get_repository_def().schedule_defs)
    ours = {
        s.name: s
        for s in schedules
        if s.job_name
        in {"master_pipeline", "bronze_ingestion", "silver_transformation", "gold_aggregation", "quality_checks"}
    }
    assert list(ours) == ["master_pipeline_schedule"]
    master = ours["master_pipeline_schedule"]
    assert (master.cron_schedule, master.execution_timezone) == ("0 2 * * *", "America/New_York")
    assert master.default_status == dg.DefaultScheduleStatus.RUNNING


def test_it_runs_once_on_the_day_that_has_no_two_o_clock(definitions: dg.Definitions) -> None:
    found = ticks(definitions, datetime(2026, 3, 7, tzinfo=NEW_YORK), 3)
    assert [(t.date().isoformat(), f"{t:%H:%M %Z}") for t in found] == [
        ("2026-03-07", "02:00 EST"),
        ("2026-03-08", "03:00 EDT"),
        ("2026-03-09", "02:00 EDT"),
    ]


def test_it_runs_once_on_the_day_that_has_an_hour_twice(definitions: dg.Definitions) -> None:
    found = ticks(definitions, datetime(2026, 10, 31, tzinfo=NEW_YORK), 3)
    assert [(t.date().isoformat(), f"{t:%H:%M %Z}") for t in found] == [
        ("2026-10-31", "02:00 EDT"),
        ("2026-11-01", "02:00 EST"),
        ("2026-11-02", "02:00 EST"),
    ]


def test_a_tick_asks_for_what_has_arrived(definitions: dg.Definitions, site) -> None:
    schedule = definitions.get_schedule_def("master_pipeline_schedule")
    folder = site.settings.inbound / "ecommerce"
    folder.mkdir(parents=True, exist_ok=True)
    feed = site.catalog.feeds["orders"]
    name = (
        feed.inbound[0]
        .replace("{date}", "2026-03-01")
        .replace("{date:%Y-%m-%d}", "2026-03-01")
        .replace("{date:%Y%m%d}", "20260301")
    )
    name = name.replace("{revision}", "").replace("{part}", "").replace("*", "")
    assert feed.match(name), name
    (folder / name).write_text("x")
    try:
        with dg.instance_for_test() as instance:
            context = dg.build_schedule_context(
                instance=instance,
                scheduled_execution_time=datetime(2026, 3, 2, 7, tzinfo=UTC),
                repository_def=definitions.get_repository_def(),
            )
            request = schedule.evaluate_tick(context).run_requests[0]
    finally:
        (folder / name).unlink()
    assert request.tags["dagster/asset_partition_range_start"] == "2026-03-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2026-03-01"
    assert request.tags["ops/mode"] == "arrived"
