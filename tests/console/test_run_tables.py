"""Dagster's runs as tables that figures query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ops_project.console.run_tables import ask_runs, moments
from ops_project.console.span import Span
from ops_project.dagster_bridge.runs_file import RecentRun
from ops_project.queries.boards import figure

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_runs_are_a_table_that_can_be_asked():
    def run(number: int, state: str, seconds: float, job: str = "a") -> RecentRun:
        began = NOW - timedelta(days=number)
        return RecentRun(f"r{number}", job, state, began, began + timedelta(seconds=seconds), "investor")

    history = [run(n, "success", 100) for n in range(1, 9)] + [run(0, "success", 150), run(2, "failure", 5, "b")]
    columns, rows = ask_runs(history, figure("operational", "durations").sql, Span.week(NOW), zone=NEW_YORK)
    found = dict(zip(columns, rows[0], strict=True))
    assert (found["job"], found["last_seconds"], found["usual_seconds"], found["ratio"]) == ("a", 150.0, 100.0, 1.5)
    assert len(rows) == 1, "a job without a success has no duration"
    _, rows = ask_runs(history, figure("operational", "runs").sql, Span.week(NOW), zone=NEW_YORK)
    assert [row[:4] for row in rows] == [("b", 1, 1, "failure"), ("a", 7, 0, "success")] or rows[0][0] == "b"
    _, rows = ask_runs(history[:3], figure("operational", "durations").sql, Span.week(NOW), zone=NEW_YORK)
    assert rows[0][2] is None and rows[0][3] is None, "three successes are no baseline"


def test_what_a_domain_cost_is_told_from_its_runs_its_files_and_its_tables():
    def run(domain: str, days: float, seconds: float) -> RecentRun:
        began = NOW - timedelta(days=days)
        return RecentRun(
            f"{domain}{days}", f"{domain}_pipeline", "success", began, began + timedelta(seconds=seconds), domain
        )

    history = [run("streaming", 1, 30), run("streaming", 9, 20), run("insurance", 2, 50), run("insurance", 40, 900)]
    more = {
        "landed": lambda: [("streaming", "2026-03-03", 2, 100, 10), ("streaming", "2025-01-01", 9, 999, 10)],
        "sizes": lambda: [("bronze/streams", "streaming", 4_000.0), ("gold/kpi", "streaming", 1_000.0)],
        "builds": lambda: [("r1", "bronze/streams", "streaming", "2026-03-03 01:00:00", 12.0, 100)] * 2,
        "steps": list,
    }
    columns, rows = ask_runs(history, figure("cost", "by_domain").sql, Span.week(NOW), None, more, zone=NEW_YORK)
    found = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    assert found["streaming"]["seconds"] == 50 and found["streaming"]["share_percent"] == 50.0
    assert (found["streaming"]["seconds_this_week"], found["streaming"]["seconds_week_before"]) == (30, 20)
    assert (found["streaming"]["rows_landed"], found["streaming"]["table_bytes"]) == (100, 5_000)
    assert found["insurance"]["rows_landed"] is None, "what is not known is not nothing"
    _, rows = ask_runs(history, figure("cost", "dearest_tables").sql, Span.week(NOW), None, more, zone=NEW_YORK)
    assert rows == (("bronze/streams", "streaming", 24.0, 1, 24.0, 100, 4_000.0),)


def test_moments_of_runs_are_shown_in_the_zone_of_the_platform():
    [row] = moments(("job", "last_started_at", "day"), [("a", "2026-03-04 06:31:50", "2026-03-04")])
    assert row == ("a", datetime(2026, 3, 4, 6, 31, 50, tzinfo=UTC), "2026-03-04")


@pytest.mark.parametrize("name", [("operational", "durations_over_time"), ("cost", "seconds_by_day")])
def test_a_run_counts_on_the_day_of_the_platform(name: tuple[str, str]):
    """At 03:30 UTC it is the evening before in New York."""

    def run(hour: int) -> RecentRun:
        began = datetime(2026, 3, 3, hour, 30, tzinfo=UTC)
        return RecentRun(f"r{hour}", "a", "success", began, began + timedelta(seconds=10), "investor")

    _, rows = ask_runs([run(3), run(6)], figure(*name).sql, Span.week(NOW), zone=NEW_YORK)
    assert [row[:2] for row in rows] == [("2026-03-02", 10.0), ("2026-03-03", 10.0)]
