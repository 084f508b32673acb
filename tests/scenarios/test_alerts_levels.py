"""The open alerts follow from the present state: rules × levels × existing subjects, whatever the order of the
signals.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

GRAPH = {"bronze/orders": {}, "gold/revenue": {"from": ["bronze/orders"]}}
MINUTE = timedelta(minutes=1)
SCHEDULED, BY_HAND = {"scheduled": "true"}, {"scheduled": "false"}


def test_a_scheduled_failure_stays_paged_while_a_rerun_by_hand_fails_too(world):
    night = world(at="2026-03-04 02:10", graph=GRAPH)
    night.fails("run.failure", pipeline="master_pipeline", labels=SCHEDULED)
    night.advance("1m")
    night.forget_others()
    night.fails("run.failure", pipeline="master_pipeline", labels=BY_HAND)
    night.advance("10m", MINUTE)
    assert "Scheduled job master_pipeline failed" in night.open()
    night.expect_to("on-call/2")
    night.recovers("run.failure", pipeline="master_pipeline", labels=BY_HAND)
    night.advance("1m")
    assert night.open() == []
    night.expect_to("on-call/2", "on-call pagerduty > : resolved Scheduled job master_pipeline failed")


def test_a_scheduled_failure_stays_paged_however_many_reruns_by_hand_fail_each_in_another_way(world):
    night = world(at="2026-03-04 23:50", graph=GRAPH)
    night.fails("run.failure", pipeline="master_pipeline", failure_class="code_error", labels=SCHEDULED)
    night.advance("1m")
    for number in range(30):
        night.fails("run.failure", pipeline="master_pipeline", failure_class=f"class_{number}", labels=BY_HAND)
        night.recovers("run.failure", pipeline="another_pipeline", labels=SCHEDULED)
        night.advance("1m", MINUTE)
    night.restart()
    night.without_rule("stale")
    night.advance("1m")
    assert "Scheduled job master_pipeline failed" in night.open()
    night.recovers("run.failure", pipeline="master_pipeline", labels=BY_HAND)
    night.advance("1m")
    assert night.open() == []


@pytest.mark.parametrize("times", [2, 3])
def test_what_breaks_is_repaired_and_breaks_again_is_told_each_time(world, times):
    day = world(graph=GRAPH)
    for _ in range(times):
        day.fails("landing.finding", asset="bronze/orders", check="source_empty", labels={"finding": "source_empty"})
        day.advance("5m", MINUTE)
        assert len(day.open()) == 1
        assert [a["status"] for n in day.inbox for a in n.payload["alerts"]].count("firing") > 0
        day.forget_others()
        day.recovers("landing.finding", asset="bronze/orders", check="source_empty")
        day.advance("3h", timedelta(minutes=10))
        assert day.open() == []
        day.forget_others()


def test_a_rule_that_comes_back_tells_what_is_still_broken(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="gold/revenue", check="totals")
    day.advance("1m")
    day.without_rule("check_failed")
    day.advance("1h", MINUTE)
    assert day.open() == []
    day.with_shipped_rules()
    day.advance("10s")
    assert day.open() == ["Check totals of gold/revenue failed"]


def test_a_rule_that_comes_back_says_nothing_of_what_was_repaired_meanwhile(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="gold/revenue", check="totals")
    day.advance("1m")
    day.without_rule("check_failed")
    day.advance("1m")
    day.recovers("check.failure", asset="gold/revenue", check="totals")
    day.advance("1m")
    day.with_shipped_rules()
    day.advance("1m")
    assert day.open() == []


def test_a_threshold_that_moves_closes_what_it_no_longer_asks_for_and_opens_what_it_asks_for_now(world):
    day = world(graph=GRAPH)
    day.reads("quality.score", 80.0, asset="gold/revenue")
    day.reads("quality.score", 88.0, asset="bronze/orders")
    day.advance("1m")
    assert day.open() == ["Quality score of gold/revenue is 80, below 85"]
    day.with_threshold("quality_score_low", 75.0)
    day.advance("1m")
    assert day.open() == []
    day.with_threshold("quality_score_low", 90.0)
    day.advance("1m")
    assert len(day.open()) == 2


@pytest.mark.parametrize("order", ["as it happened", "failure read last"])
def test_an_ok_of_one_table_counts_though_another_failed_after_it(world, order):
    """One alert for a domain: the repair of the first table is read after the failure of the second table."""
    day = world(graph=GRAPH)
    day.with_by("asset_failure", ("domain",))
    begun = day.now
    day.fails("asset.failure", asset="bronze/orders")
    day.advance("1m")
    later = [
        lambda: day.recovers("asset.failure", asset="bronze/orders", at=begun + timedelta(seconds=40)),
        lambda: day.fails("asset.failure", asset="gold/revenue", at=begun + timedelta(seconds=50)),
    ]
    for happens in later if order == "as it happened" else reversed(later):
        happens()
        day.advance("5s")
    assert len(day.open()) == 1
    day.recovers("asset.failure", asset="gold/revenue")
    day.advance("5s")
    assert day.open() == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (3, 0, 4, 2, 1), (2, 4, 1, 3, 0)])
def test_one_alert_for_many_dates_and_tables_stays_until_the_newest_event_of_each_is_well(world, order):
    """The signals may be read in any order, and the process may begin anew between the readings."""
    day = world(graph=GRAPH)
    day.with_by("check_failed", ("domain",))
    begun = day.now
    day.now += timedelta(minutes=2)
    events = [
        (day.fails, "bronze/orders", "2026-03-01"),
        (day.fails, "gold/revenue", "2026-03-01"),
        (day.recovers, "bronze/orders", "2026-03-01"),
        (day.fails, "gold/revenue", "2026-03-02"),
        (day.recovers, "gold/revenue", "2026-03-01"),
    ]
    for number in order:
        happens, asset, date = events[number]
        at = begun + timedelta(seconds=10 * number)
        happens("check.failure", asset=asset, check="totals", partition=date, at=at)
        day.advance("5s")
        day.restart()
    day.advance("1m")
    assert len(day.open()) == 1, "2026-03-02 of the second table is not repaired"
    day.recovers("check.failure", asset="gold/revenue", check="totals", partition="2026-03-02")
    day.advance("1m")
    assert day.open() == []


def test_readings_that_arrive_out_of_order_end_where_the_newest_says(world):
    day = world(graph=GRAPH)
    day.recovers("check.failure", asset="gold/revenue", check="totals")
    day.advance("5s")
    day.fails("check.failure", asset="gold/revenue", check="totals", at=day.now - timedelta(minutes=3))
    day.advance("5m")
    assert day.open() == []
    day.expect_silence()


def test_what_is_removed_from_the_asset_graph_is_closed_and_opens_again_with_it(world):
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="gold/revenue")
    day.advance("1m")
    day.regraph({"bronze/orders": {}})
    day.advance("1m")
    assert day.open() == []
    assert "the asset gold/revenue does not exist any more" in [e.detail for e in day.reasons]
    day.regraph(GRAPH)
    day.advance("1m")
    assert day.open() == ["gold/revenue was not built"]


def test_a_check_that_is_removed_takes_its_alert_with_it(world):
    day = world(graph={"gold/revenue": {"checks": ("totals", "rows")}})
    day.fails("check.failure", asset="gold/revenue", check="totals")
    day.fails("check.failure", asset="gold/revenue", check="rows")
    day.advance("1m")
    day.regraph({"gold/revenue": {"checks": ("rows",)}})
    day.advance("1m")
    assert day.open() == ["Check rows of gold/revenue failed"]


def test_a_person_closes_what_nothing_else_closes_and_a_newer_failure_opens_it_again(world):
    day = world(graph=GRAPH)
    day.fails("check.crash", asset="gold/revenue", check="totals", partition="2026-03-01")
    day.advance("1m")
    day.resolve(1, "this partition is not built any more")
    day.advance("10m", MINUTE)
    assert day.open() == []
    assert ("resolved_by_hand", "engineer-a: this partition is not built any more") in [
        (e.reason.value, e.detail) for e in day.reasons if e.alert == 1
    ]
    day.restart()
    day.without_rule("stale")
    day.advance("1m")
    assert day.open() == [], "another configuration does not bring back what a person closed"
    day.fails("check.crash", asset="gold/revenue", check="totals", partition="2026-03-01")
    day.advance("1m")
    assert len(day.open()) == 1


def test_bad_rows_are_told_though_the_run_took_longer_than_the_window(world):
    """The batch was loaded when the run began, and became visible sixteen minutes later."""
    night = world(at="2026-03-04 02:30", graph=GRAPH)
    night.fails(
        "landing.error_rate",
        value=200.0,
        total=1000.0,
        asset="bronze/orders",
        at=night.now - timedelta(minutes=16),
    )
    night.advance("6m", MINUTE)
    assert any("Too many bad rows" in a["summary"] for n in night.inbox for a in n.payload["alerts"])
    night.forget_others()
    night.advance("3h", timedelta(minutes=10))
    assert night.open() == ["Too many bad rows in bronze/orders"], "nothing was repaired"
    night.fails("landing.error_rate", value=1.0, total=1000.0, asset="bronze/orders")
    night.advance("6m", MINUTE)
    assert night.open() == [], "a better batch came"


def test_bad_rows_can_be_closed_by_a_person(world):
    night = world(graph=GRAPH)
    night.fails("landing.error_rate", value=200.0, total=1000.0, asset="bronze/orders")
    night.advance("1m")
    night.resolve(1, "these rows were asked for")
    night.advance("1m")
    assert night.open() == []
    night.fails("landing.error_rate", value=20.0, total=1000.0, asset="bronze/orders")
    night.advance("1m")
    assert night.open() == [], "the batch that was closed does not count any more"


def test_a_resolve_is_told_though_the_condition_came_and_went_before_the_flush(world):
    """`for: 2m`: resolved, true again for a moment, false again, all before the group's next flush."""
    day = world(graph=GRAPH)
    day.reads("resource.memory_percent", 95.0, pipeline="master_pipeline")
    day.advance("3m")
    assert [a["status"] for n in day.inbox for a in n.payload["alerts"]][:1] == ["firing"]
    day.forget_others()
    day.reads("resource.memory_percent", 50.0, pipeline="master_pipeline")
    day.advance("5s")
    day.reads("resource.memory_percent", 95.0, pipeline="master_pipeline")
    day.advance("5s")
    day.reads("resource.memory_percent", 50.0, pipeline="master_pipeline")
    day.advance("10m")
    told = {n.channel: [a["status"] for a in n.payload["alerts"]] for n in day.inbox}
    assert told and all(statuses == ["resolved"] for statuses in told.values())


def test_the_end_of_one_of_a_group_is_told_though_it_came_and_went_and_the_process_began_anew(world):
    day = world(graph=GRAPH)
    for pipeline in ("first", "second"):
        day.reads("resource.memory_percent", 95.0, pipeline=pipeline)
    day.advance("3m")
    told = {(n.channel, n.recipient) for n in day.inbox}
    day.forget_others()
    for percent in (50.0, 95.0, 50.0, 95.0, 50.0):
        day.reads("resource.memory_percent", percent, pipeline="first")
        day.advance("5s")
        day.restart()
    day.advance("10m")
    ended: dict[tuple[str, str], list[str]] = {}
    for message in day.inbox:
        ended.setdefault((message.channel, message.recipient), []).extend(
            a["summary"] for a in message.payload["alerts"] if a["status"] == "resolved"
        )
    assert set(ended) == told and len(day.open()) == 1
    assert all(len(summaries) == 1 for summaries in ended.values()), ended
