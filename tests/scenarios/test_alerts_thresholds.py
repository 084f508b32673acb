"""Every threshold that S3 and S4 name, tested at its limit (docs/requirements.md explains the codes)."""

from datetime import timedelta

import pytest

GRAPH = {
    "gold/daily_revenue": {},
    "bronze/streams": {"domain": "streaming", "tier": "2"},
    "gold/customer_churn_predictions": {},
}
REVENUE = "gold/daily_revenue"
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (85.0, []),
        (84.9, ["quality_score_low"]),
        (70.0, ["quality_score_low"]),
        (69.9, ["quality_score_low", "quality_score_stops"]),
        (None, []),
    ],
)
def test_quality_score(world, score, expected):
    day = world(graph=GRAPH)
    day.reads("quality.score", score, asset=REVENUE)
    day.advance("5s")
    assert sorted(a.rule for a in day.state.alerts.values()) == expected


@pytest.mark.parametrize(
    ("customers", "expected"), [(500, []), (501, ["high_churn_risk"]), (1001, ["high_churn_risk", "model_health"])]
)
def test_high_churn_risk(world, customers, expected):
    day = world(graph=GRAPH)
    day.reads("churn.high_risk_customers", float(customers), asset="gold/customer_churn_predictions")
    day.advance("5s")
    assert sorted(a.rule for a in day.state.alerts.values()) == expected


def test_the_business_team_hears_of_business_metrics_and_of_nothing_else(world):
    day = world(graph=GRAPH)
    day.reads("churn.high_risk_customers", 600.0, asset="gold/customer_churn_predictions")
    day.fails("asset.failure", asset=REVENUE)
    day.advance("1m")
    day.expect_to(
        "business-team/1",
        "business-team email > business-team@example.com: firing 600 customers have a high risk of leaving",
    )


@pytest.mark.parametrize(
    ("state", "tier", "expected"),
    [(0.0, "1", []), (1.0, "1", ["stale"]), (2.0, "1", ["stale", "very_stale"]), (2.0, "2", ["stale"])],
)
def test_staleness_by_tier(world, state, tier, expected):
    day = world(graph={REVENUE: {"tier": tier}})
    day.reads("freshness.state", state, asset=REVENUE)
    day.advance("5s")
    assert sorted(a.rule for a in day.state.alerts.values()) == expected


@pytest.mark.parametrize(
    ("errors", "fires"),
    [((50, 1000), False), ((51, 1000), True)],
)
def test_error_rate_is_more_than_five_per_cent(world, errors, fires):
    day = world(graph=GRAPH)
    day.fails("landing.error_rate", value=float(errors[0]), total=float(errors[1]), asset="bronze/streams")
    day.advance("5s")
    assert (day.open() == ["Too many bad rows in bronze/streams"]) is fires


@pytest.mark.parametrize(("later", "together"), [("14m59s", True), ("15m", False)])
def test_the_error_rates_window_is_fifteen_minutes_to_the_second(world, later, together):
    day = world(graph=GRAPH)
    day.fails("landing.error_rate", value=100.0, total=1000.0, asset="bronze/streams")
    day.advance(later, MINUTE)
    day.fails("landing.error_rate", value=0.0, total=500.0, asset="bronze/streams")
    day.cycle()
    assert bool(day.open()) is together, "100 of 1500 is too much, and none of 500 is a better batch"


def test_two_batches_count_together_while_both_are_in_the_window(world):
    day = world(graph=GRAPH)
    day.signal("landing.error_rate", "firing", value=40.0, total=1000.0, asset="bronze/streams")
    day.advance("15m", MINUTE)
    day.signal("landing.error_rate", "firing", value=60.0, total=1000.0, asset="bronze/streams")
    day.advance("5s")
    assert day.open(), "the first has left the window: 6 %"
    other = world(graph=GRAPH)
    other.signal("landing.error_rate", "firing", value=40.0, total=1000.0, asset="bronze/streams")
    other.advance("14m59s", MINUTE)
    other.signal("landing.error_rate", "firing", value=60.0, total=1000.0, asset="bronze/streams")
    other.cycle()
    assert not other.open(), "100 of 2000 is 5 %, and the rule says more"


@pytest.mark.parametrize(("violations", "fires"), [((10,), False), ((11,), True), ((6, 5), True)])
def test_more_than_ten_reference_violations_in_an_hour(world, violations, fires):
    day = world(graph=GRAPH)
    for count in violations:
        day.fails("reference.violations", value=float(count), asset="bronze/streams")
        day.advance("20m", MINUTE)
    assert bool(day.open()) is fires


@pytest.mark.parametrize(("requests", "fires"), [(9, False), (10, True)])
def test_ten_throttled_requests_in_five_minutes(world, requests, fires):
    day = world(graph=GRAPH)
    day.fails(
        "serving.throttled_requests", value=float(requests), asset="bronze/streams", pipeline="streaming_pipeline"
    )
    day.advance("5s")
    assert bool(day.open()) is fires


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        ("run.duration_seconds", 7200.0, None),
        ("run.duration_seconds", 7201.0, "job_too_long"),
        ("step.duration_seconds", 1800.0, None),
        ("step.duration_seconds", 1801.0, "task_too_long"),
        ("run.duration_ratio", 1.2, None),
        ("run.duration_ratio", 1.21, "performance_warning"),
    ],
)
def test_durations(world, kind, value, rule):
    day = world(graph=GRAPH)
    day.reads(kind, value, pipeline="streaming_pipeline", domain="streaming", labels={"long_enough": "true"})
    day.advance("5s")
    assert [a.rule for a in day.state.alerts.values()] == ([rule] if rule else [])


def test_cpu_above_seventy_per_cent_must_last_a_quarter_of_an_hour(world):
    day = world(graph=GRAPH)
    day.reads("resource.cpu_percent", 71.0, pipeline="master_pipeline")
    day.advance("14m", MINUTE)
    assert not day.open()
    day.advance("1m", MINUTE)
    assert day.open() == ["CPU of master_pipeline at 71 %, above 70 %"]


def test_cpu_that_fell_in_between_begins_anew(world):
    day = world(graph=GRAPH)
    day.reads("resource.cpu_percent", 90.0, pipeline="master_pipeline")
    day.advance("10m", MINUTE)
    day.reads("resource.cpu_percent", 30.0, pipeline="master_pipeline")
    day.advance("1m", MINUTE)
    day.reads("resource.cpu_percent", 90.0, pipeline="master_pipeline")
    day.advance("10m", MINUTE)
    assert not day.open()


def test_no_reading_is_unknown_and_changes_nothing(world):
    day = world(graph=GRAPH)
    day.reads("quality.score", 60.0, asset=REVENUE)
    day.advance("1m")
    before = day.open()
    day.reads("quality.score", None, asset=REVENUE)
    day.advance("1m")
    assert day.open() == before != []


def test_an_anomaly_is_one_alert_though_the_check_warns_before_the_snapshot_is_taken(world):
    day = world(graph=GRAPH)
    day.fails("check.warning", asset=REVENUE, check="anomalies")
    day.advance("3m")
    day.expect_silence()
    day.reads("quality.anomalies", 1.0, asset=REVENUE)
    day.advance("1m")
    assert [a.rule for a in day.state.alerts.values()] == ["anomaly_detected"]
    day.fails("check.warning", asset=REVENUE, check="volume")
    day.advance("5s")
    assert len(day.open()) == 2


def test_any_anomaly_of_the_last_seven_days_is_medium(world):
    day = world(graph=GRAPH)
    day.reads("quality.anomalies", 1.0, asset="gold/daily_revenue")
    day.advance("5s")
    assert [a.severity for a in day.state.alerts.values()] == ["medium"]
