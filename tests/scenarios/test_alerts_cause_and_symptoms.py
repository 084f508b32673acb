"""One upstream cause, a hundred symptoms: one page that lists them."""

from datetime import timedelta

import pytest

from ops_project.model.finding import LOADED, WHOLE

HUNDRED = {
    "bronze/orders": {},
    "silver/fact_orders": {"from": ["bronze/orders"]},
    **{f"gold/report_{n:03d}": {"from": ["silver/fact_orders"]} for n in range(100)},
}
TITLES = {"domain": "streaming", "owners": ("team:streaming-data",)}
HALF_MINUTE = timedelta(seconds=30)
STOPPED = "firing Quality score of bronze/orders is 41, below 70: everything downstream is stopped"


def _break_everything(world) -> None:
    world.reads("quality.score", 41.0, asset="bronze/orders")
    for n in range(100):
        world.reads("freshness.state", 2.0, asset=f"gold/report_{n:03d}")


@pytest.mark.parametrize("order", ["cause first", "symptoms first"])
def test_a_hundred_assets_fail_from_one_cause_and_there_is_one_page_that_lists_them(world, order):
    night = world(at="2026-03-04 02:10", graph=HUNDRED)
    _break_everything(night)
    if order == "symptoms first":
        night.pending.reverse()
    night.advance("1h", timedelta(minutes=1))
    pages = night.expect_to("on-call/2", f"on-call pagerduty > : {STOPPED}")
    [alert] = pages[0].payload["alerts"]
    # Each report is stale and very stale, and its score is below 85.
    assert len(alert["silent_under_it"]) == 201
    assert alert["blast_radius"]["asset_count"] == 101
    told = {a["summary"] for n in night.inbox for a in n.payload["alerts"]}
    assert told == {STOPPED.removeprefix("firing ")}


def test_what_is_still_broken_after_the_cause_is_repaired_is_told_then(world):
    night = world(at="2026-03-04 02:10", graph=HUNDRED)
    _break_everything(night)
    night.advance("10m", timedelta(minutes=1))
    night.forget_others()
    night.reads("quality.score", 96.0, asset="bronze/orders")
    for n in range(1, 100):
        night.reads("freshness.state", 0.0, asset=f"gold/report_{n:03d}")
    night.advance("1m")
    night.expect_to(
        "on-call/2",
        f"on-call pagerduty > : {STOPPED.replace('firing', 'resolved')}",
        "on-call pagerduty > : firing gold/report_000 is very stale: last built more than 48 h ago",
    )


def test_a_restart_in_the_middle_makes_no_second_page_and_lets_no_symptom_through(world):
    night = world(at="2026-03-04 02:10", graph=HUNDRED)
    _break_everything(night)
    night.advance("1s")
    night.restart()
    night.advance("5s")
    night.restart()
    night.advance("30m", timedelta(minutes=1))
    night.expect_to("on-call/2", f"on-call pagerduty > : {STOPPED}")


def test_a_milder_cause_does_not_silence_a_critical_symptom(world):
    night = world(at="2026-03-04 02:10", graph=HUNDRED)
    night.fails("check.failure", asset="bronze/orders", check="rows")
    night.reads("freshness.state", 2.0, asset="gold/report_000")
    night.advance("1m")
    night.expect_to(
        "on-call/2", "on-call pagerduty > : firing gold/report_000 is very stale: last built more than 48 h ago"
    )


def test_a_job_that_failed_only_because_of_a_cause_upstream_is_silent_under_it(world):
    night = world(at="2026-03-04 02:10", graph=HUNDRED)
    night.reads("quality.score", 41.0, asset="bronze/orders")
    night.fails(
        "run.failure", pipeline="reports", labels={"scheduled": "true"}, assets=("gold/report_000", "gold/report_001")
    )
    night.advance("1m")
    night.expect_to("on-call/2", f"on-call pagerduty > : {STOPPED}")


def test_an_unrelated_failure_beside_the_cause_is_its_own_alert(world):
    night = world(at="2026-03-04 02:10", graph={**HUNDRED, "gold/other": {}})
    night.reads("quality.score", 41.0, asset="bronze/orders")
    night.reads("freshness.state", 2.0, asset="gold/other")
    night.advance("1m")
    night.expect_to(
        "on-call/2",
        f"on-call pagerduty > : {STOPPED}",
        "on-call pagerduty > : firing gold/other is very stale: last built more than 48 h ago",
    )


def test_very_stale_silences_stale_of_the_same_table(world):
    day = world(graph={"gold/other": {}})
    day.reads("freshness.state", 1.0, asset="gold/other")
    day.advance("1m")
    day.expect_to(
        "owners", "owners email > ecommerce-data@example.com: firing gold/other is stale: last built more than 24 h ago"
    )
    day.forget_others()
    day.reads("freshness.state", 2.0, asset="gold/other")
    day.advance("10m")
    told = {a["summary"] for n in day.inbox for a in n.payload["alerts"]}
    assert told == {"gold/other is very stale: last built more than 48 h ago"}


@pytest.mark.parametrize("loaded", [{}, {LOADED: WHOLE}], ids=["refused", "loaded whole"])
def test_a_file_of_another_structure_explains_failures_downstream_only_if_it_was_not_loaded(world, loaded):
    day = world(graph=HUNDRED)
    labels = {"finding": "schema_mismatch", "feed": "orders", **loaded}
    day.fails(
        "landing.finding",
        asset="bronze/orders",
        check="schema_mismatch",
        failure_class="schema_mismatch",
        labels=labels,
    )
    day.fails("check.failure", asset="gold/report_000", check="keys", failure_class="key_violation")
    day.advance("1m")
    muted = {alert.asset: bool(alert.muted) for alert in day.state.alerts.values()}
    assert muted == {"bronze/orders": False, "gold/report_000": not loaded}


def test_a_whole_file_does_not_excuse_a_refused_one_of_the_same_alert(world):
    day = world(graph=HUNDRED)
    for loaded in ({}, {LOADED: WHOLE}):
        day.fails(
            "landing.finding",
            asset="bronze/orders",
            check="schema_mismatch",
            failure_class="schema_mismatch",
            labels={"finding": "schema_mismatch", "feed": "orders", **loaded},
        )
        day.advance("1m")
    day.fails("check.failure", asset="gold/report_000", check="keys", failure_class="key_violation")
    day.advance("1m")
    assert {alert.asset: bool(alert.muted) for alert in day.state.alerts.values()}["gold/report_000"]


def test_an_owner_hears_of_the_cause_that_takes_the_place_of_a_repaired_one(world):
    day = world(graph={"bronze/a": TITLES, "gold/f": {"from": ["bronze/a"], **TITLES}})
    day.fails("asset.failure", asset="bronze/a")
    day.advance("7m", HALF_MINUTE)
    day.fails("check.crash", asset="bronze/a", check="x")
    day.fails("check.failure", asset="gold/f", check="y")
    day.advance("13m30s", HALF_MINUTE)
    day.recovers("asset.failure", asset="bronze/a")
    day.inbox.clear()
    day.advance("10m", HALF_MINUTE)
    told = [n.payload["alerts"] for n in day.inbox if n.channel == "owners/0-email" and n.payload["status"] == "firing"]
    [[cause]] = told
    rules = {number: alert.rule for number, alert in day.state.alerts.items()}
    assert rules[cause["number"]] == "check_crashed"
    assert [rules[symptom["number"]] for symptom in cause["silent_under_it"]] == ["check_failed"]
