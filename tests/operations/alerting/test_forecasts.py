"""Forecasts of breaches and how they are judged afterwards; and the remaining work of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.service_levels.durations import Baseline, critical_path, p90, slowest_step
from ops_project.operations.alerting.service_levels.forecasts import score

TODAY = date(2026, 3, 10)


def signal(kind: str, day: int, hour: int, minute: int = 0, state: str = "firing") -> Signal:
    at = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
    labels = {"sla": "revenue"}
    return Signal(
        kind, state, at, at, at.isoformat(), check="Revenue by 08:00", partition=f"2026-03-{day:02d}", labels=labels
    )


def test_each_day_is_a_hit_a_miss_or_a_false_alarm() -> None:
    found = score(
        [
            signal("sla.at_risk", 5, 7),
            signal("sla.breach", 5, 8),
            signal("sla.at_risk", 6, 7, 50),
            signal("sla.breach", 6, 8),
            signal("sla.breach", 7, 8),
            signal("sla.at_risk", 8, 7),
            signal("sla.at_risk", 8, 8, state="ok"),
            signal("sla.at_risk", 10, 7),
        ],
        TODAY,
    )
    assert [(item.day.day, item.verdict) for item in found] == [
        (10, "open"),
        (8, "false alarm"),
        (7, "miss"),
        (6, "late hit"),
        (5, "hit"),
    ]
    assert found[-1].lead == timedelta(hours=1) and found[2].lead is None


def test_what_is_said_only_after_the_breach_was_not_foreseen() -> None:
    [found] = score([signal("sla.breach", 5, 8), signal("sla.at_risk", 5, 9)], TODAY)
    assert found.verdict == "miss"


def test_the_work_that_is_left_counts_at_its_p90_and_names_its_slowest_step() -> None:
    assert p90([]) == 0 and p90([3]) == 3 and p90(range(1, 11)) == 9
    upstream = {"bronze/a": (), "silver/b": ("bronze/a",), "gold/c": ("silver/b",)}
    usual, slow = [60.0] * 8 + [600.0] * 2, [120.0] * 10
    baseline = Baseline(
        steps={"land": slow, "silver": usual, "gold": slow},
        assets={"bronze/a": "land", "silver/b": "silver", "gold/c": "gold"},
    )
    # The step takes ten minutes once in five runs. A median would have given 60 seconds.
    assert critical_path(["gold/c"], frozenset(), upstream, baseline) == 120 + 600 + 120
    assert slowest_step(["gold/c"], frozenset(), upstream, baseline) == "silver"
    assert slowest_step(["gold/c"], frozenset({"silver/b"}), upstream, baseline) == "gold"
    assert slowest_step(["gold/c"], frozenset(), upstream, baseline, {"silver": 590.0}) == "land"
    assert slowest_step(["gold/c"], frozenset(upstream), upstream, baseline) == ""
