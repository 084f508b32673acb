"""Each owner is told once about each of their failures: with its cause, or separately."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ops_project.model.alerting.route import Route
from ops_project.operations.alerting.decide.doubles import doubles
from ops_project.operations.alerting.decide.memory import Memory
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.routing import compile_tree

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GRAPH = {
    "bronze/orders": {"owners": ("team:ecommerce-data",)},
    "silver/fact_orders": {"from": ["bronze/orders"], "owners": ("team:ecommerce-data",)},
    "gold/kpi": {"from": ["silver/fact_orders"], "owners": ("team:investor-metrics",), "domain": "investor"},
    **{
        f"gold/report_{n:03d}": {"from": ["silver/fact_orders"], "owners": ("team:marketing-data",)} for n in range(100)
    },
}
MISSING = "File of orders did not arrive: 2026-03-04"


def _old_cause(world):
    """The file of one day never came."""
    story = world(at="2026-03-04 06:00", graph=GRAPH)
    story.fails(
        "landing.finding",
        asset="bronze/orders",
        check="source_missing",
        partition="2026-03-04",
        failure_class="source_missing",
        labels={"finding": "source_missing", "feed": "orders"},
    )
    story.advance("30m", 5 * MINUTE)
    assert MISSING in _told(story)
    return story


def _later(story, span: str) -> None:
    story.advance(span, HOUR)
    story.forget_others()


def _told(story) -> set[str]:
    found = {a["summary"] for n in story.inbox for a in n.payload["alerts"] if a["status"] == "firing"}
    story.forget_others()
    return found


def _owners_told(story) -> dict[str, set[str]]:
    """Recipient of the owners' e-mail → the messages to that recipient."""
    found: dict[str, set[str]] = {}
    for n in story.inbox:
        if n.channel == "owners/0-email":
            found.setdefault(n.recipient, set()).update(a["summary"] for a in n.payload["alerts"])
    return found


@pytest.mark.parametrize("standing", ["acknowledged", "silenced", "untouched"])
def test_an_old_cause_hides_no_later_failure(world, standing):
    story = _old_cause(world)
    if standing == "acknowledged":
        story.acknowledge(1)
    if standing == "silenced":
        story.silence('alertname="file_missing"', hours=166)
    _later(story, "6d")
    if standing == "silenced":
        story.silence('alertname="file_missing"', hours=166)
    _later(story, "4d")
    story.fails("check.failure", asset="bronze/orders", check="volume", failure_class="volume_anomaly")
    story.fails("asset.failure", asset="silver/fact_orders", failure_class="code_error", run_id="today")
    story.fails("check.failure", asset="gold/kpi", check="totals", failure_class="value_anomaly", run_id="today")
    story.advance("2m", timedelta(seconds=10))
    by_owner = _owners_told(story)
    told = _told(story)
    news = {
        "Check volume of bronze/orders failed",
        "silver/fact_orders was not built",
        "Check totals of gold/kpi failed",
    }
    assert news <= told
    assert "Check totals of gold/kpi failed" in by_owner["investor-metrics@example.com"]


def test_a_later_symptom_names_its_suspected_cause_and_is_told_once(world):
    story = _old_cause(world)
    _later(story, "10d")
    story.fails("check.failure", asset="gold/kpi", check="totals", failure_class="value_anomaly")
    story.advance("2m", timedelta(seconds=10))
    [message] = [n for n in story.inbox if n.channel == "owners/0-email"]
    [alert] = message.payload["alerts"]
    assert alert["suspected_cause"] == f"#1 {MISSING}"
    story.forget_others()
    story.advance("2d", HOUR)
    assert "Check totals of gold/kpi failed" not in _told(story), "once, while its cause is open"
    story.recovers("landing.finding", asset="bronze/orders", check="source_missing", partition="2026-03-04")
    story.recovers("check.failure", asset="gold/kpi", check="totals")
    story.advance("10m", MINUTE)
    ended = {a["summary"] for n in story.inbox for a in n.payload["alerts"] if a["status"] == "resolved"}
    assert ended == {MISSING, "Check totals of gold/kpi failed"}


def test_a_critical_cause_does_not_keep_the_next_nights_error_from_paging(world):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.reads("quality.score", 41.0, asset="bronze/orders")
    _later(story, "1d")
    story.fails(
        "run.failure",
        pipeline="master_pipeline",
        labels={"scheduled": "true"},
        assets=("silver/fact_orders",),
        failure_class="code_error",
    )
    story.advance("1m")
    pages = [n for n in story.inbox if n.channel == "on-call/2-pagerduty" and n.reason is not AlertReason.REPEAT]
    assert [n.payload["subject"] for n in pages] == ["[CRITICAL] Scheduled job master_pipeline failed"]


def test_what_began_before_its_supposed_cause_is_not_hidden_by_it(world):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.fails("check.failure", asset="gold/kpi", check="totals")
    story.advance("10m", MINUTE)
    story.fails("check.failure", asset="bronze/orders", check="rows")
    story.advance("10m", MINUTE)
    assert {a.muted for a in story.state.alerts.values()} == {""}


def test_a_hundred_reports_that_fail_much_later_from_one_cause_are_one_page_more(world):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.reads("quality.score", 41.0, asset="bronze/orders")
    _later(story, "2d")
    for n in range(100):
        story.reads("freshness.state", 2.0, asset=f"gold/report_{n:03d}")
    story.advance("1h", MINUTE)
    pages = [n for n in story.inbox if n.channel == "on-call/2-pagerduty" and n.reason is not AlertReason.REPEAT]
    assert len(pages) == 1
    assert len(pages[0].payload["alerts"]) == 100


def test_the_owner_of_a_silent_symptom_hears_of_it_in_the_message_about_its_cause(world):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.fails("check.failure", asset="bronze/orders", check="rows", run_id="night")
    story.advance("1m")
    story.fails("check.failure", asset="gold/kpi", check="totals", run_id="night")
    story.advance("10m", MINUTE)
    told = [n for n in story.inbox if n.channel == "owners/0-email" and n.recipient == "investor-metrics@example.com"]
    assert len(told) == 1
    [alert] = told[0].payload["alerts"]
    assert alert["summary"] == "Check rows of bronze/orders failed"
    assert [under["summary"] for under in alert["silent_under_it"]] == ["Check totals of gold/kpi failed"]
    story.forget_others()
    story.recovers("check.failure", asset="bronze/orders", check="rows")
    story.recovers("check.failure", asset="gold/kpi", check="totals")
    story.advance("10m", MINUTE)
    ended = [n.recipient for n in story.inbox if n.channel == "owners/0-email"]
    assert sorted(ended) == ["ecommerce-data@example.com", "investor-metrics@example.com"]


@pytest.mark.parametrize("silenced", ["before it breaks", "before anybody heard of it"])
def test_a_symptom_of_a_silenced_cause_is_told_to_its_owner(world, silenced):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    if silenced == "before it breaks":
        story.silence('asset="bronze/orders"', hours=12)
    story.fails("check.failure", asset="bronze/orders", check="rows", run_id="night")
    story.fails("check.failure", asset="gold/kpi", check="totals", run_id="night")
    story.advance("5s")
    if silenced == "before anybody heard of it":
        assert not story.inbox
        story.silence('asset="bronze/orders"', hours=12)
    story.advance("10m", MINUTE)
    assert _owners_told(story) == {"investor-metrics@example.com": {"Check totals of gold/kpi failed"}}


@pytest.mark.parametrize(("date", "silent"), [("2026-03-04", True), ("2026-03-14", False)])
def test_a_file_that_did_not_come_speaks_for_the_checks_of_its_own_date(world, date, silent):
    story = _old_cause(world)
    story.fails("check.failure", asset="bronze/orders", check="volume", labels={"partition": date, "dates": date})
    story.advance("10m", MINUTE)
    assert ("Check volume of bronze/orders failed" in _told(story)) is not silent


# ---- routes


def _retree(story, *first: dict) -> None:
    tree = story.catalog.routes.route
    added = tuple(Route.model_validate(route) for route in first)
    story.config = replace(story.config, tree=compile_tree(tree.model_copy(update={"routes": (*added, *tree.routes)})))


def test_a_route_that_is_inserted_first_tells_nothing_again_and_ends_what_was_paged(world):
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.reads("quality.score", 41.0, asset="bronze/orders")
    story.advance("1m")
    [page] = [n for n in story.inbox if n.channel == "on-call/2-pagerduty"]
    story.forget_others()
    _retree(story, {"receiver": "infrastructure", "matchers": ['domain="nowhere"'], "continue": True})
    story.advance("30m", MINUTE)
    story.expect_silence()
    story.reads("quality.score", 99.0, asset="bronze/orders")
    story.advance("1m")
    [end] = [n for n in story.inbox if n.channel == "on-call/2-pagerduty"]
    assert end.payload["status"] == "resolved" and end.group == page.group


def test_an_alert_that_begins_to_endanger_a_promise_is_not_told_again(world):
    story = world(at="2026-03-04 06:00", graph={"gold/kpi_aggregate_profit": {"domain": "investor"}})
    story.fails("asset.failure", asset="gold/kpi_aggregate_profit")
    story.advance("10m", MINUTE)
    assert _told(story)
    story.fails(
        "sla.at_risk",
        pipeline="investor_pipeline",
        domain="investor",
        check="investor-metrics",
        labels={"sla": "investor-metrics"},
    )
    story.advance("30m", MINUTE)
    assert _told(story) == {"investor-metrics will be late"}
    assert any(a.labels["sla_at_risk"] == "true" for a in story.state.alerts.values() if a.rule == "asset_failure")
    story.recovers("asset.failure", asset="gold/kpi_aggregate_profit")
    story.advance("10m", MINUTE)
    ended = [n.channel for n in story.inbox if n.payload["status"] == "resolved"]
    assert sorted(ended) == sorted(set(ended)) and "owners/0-email" in ended


def test_a_receiver_hears_of_a_streaming_alert_once(world):
    story = world(at="2026-03-04 06:00", graph={"bronze/streams": {"domain": "streaming"}})
    story.fails("run.failure", pipeline="streaming_pipeline", domain="streaming", labels={"scheduled": "true"})
    story.fails("landing.finding", asset="bronze/streams", check="source_empty", labels={"finding": "source_empty"})
    story.advance("5m", timedelta(seconds=10))
    heard = [(n.channel, n.recipient, a["number"]) for n in story.inbox for a in n.payload["alerts"]]
    assert len(heard) == len(set(heard))


def test_a_receiver_that_two_branches_lead_to_hears_once(world):
    story = world(at="2026-03-04 06:00", graph=GRAPH)
    _retree(story, {"receiver": "data-team", "matchers": ['domain="ecommerce"'], "continue": True})
    story.fails("check.failure", asset="bronze/orders", check="rows")
    story.advance("5m", timedelta(seconds=10))
    heard = [(n.channel, n.recipient) for n in story.inbox]
    assert len(heard) == len(set(heard)) and ("data-team/2-email", "data-team@example.com") in heard


# ---- labels, digests


def test_a_silence_of_one_failure_class_does_not_cover_the_next_nights_other_failure(world):
    story = world(at="2026-03-04 06:00", graph=GRAPH)
    story.fails("check.failure", asset="bronze/orders", check="arrival", failure_class="source_late")
    story.advance("5m", MINUTE)
    story.forget_others()
    story.silence('failure_class="source_late"', hours=100)
    story.advance("1d", HOUR)
    story.forget_others()
    story.fails("check.failure", asset="bronze/orders", check="arrival", failure_class="source_missing")
    story.advance("10m", MINUTE)
    assert _told(story) == {"Check arrival of bronze/orders failed"}


@pytest.mark.parametrize("saturday", ["2026-03-07", "2026-03-14", "2026-10-31"])
def test_the_digest_repeats_what_stays_open_also_on_the_sunday_on_which_the_clocks_move(world, saturday):
    story = world(at=f"{saturday} 06:00", graph={"gold/kpi": {}})
    story.reads("storage.asset_bytes", 3e10, asset="gold/kpi")
    story.wait_until(f"{saturday} 09:00")
    assert _told(story) == {"gold/kpi takes 30 GB"}
    following = {"2026-03-07": "2026-03-08", "2026-03-14": "2026-03-15", "2026-10-31": "2026-11-01"}[saturday]
    story.wait_until(f"{following} 09:00")
    assert _told(story) == {"gold/kpi takes 30 GB"}


def test_a_repair_is_told_by_the_run_after_which_nobody_comes_back(world):
    story = world(at="2026-03-04 06:00", graph=GRAPH)
    story.nobody_comes_back()
    story.fails("asset.failure", asset="bronze/orders")
    story.cycle()
    assert _told(story) == {"bronze/orders was not built"}
    story.now += MINUTE
    story.recovers("asset.failure", asset="bronze/orders")
    story.cycle()
    assert {a["status"] for n in story.inbox for a in n.payload["alerts"]} == {"resolved"}


def test_groups_of_an_earlier_version_keep_their_keys(world):
    """Earlier versions named groups by the position of their route. A page that was sent under such a key is ended
    under the same key.
    """
    story = world(at="2026-03-04 02:10", graph=GRAPH)
    story.reads("quality.score", 41.0, asset="bronze/orders")
    story.advance("1m")
    former = {node.id: node.former_id for node in story.config.nodes.values()}
    assert len(set(former.values())) == len(former)
    story.state.groups = {key: replace(g, route=former[g.route]) for key, g in story.state.groups.items()}
    story.state.routes_version, story.state.memory = "of an earlier version", Memory()
    story.forget_others()
    story.advance("30m", MINUTE)
    story.expect_silence()
    story.reads("quality.score", 99.0, asset="bronze/orders")
    story.advance("1m")
    [end] = [n for n in story.inbox if n.channel == "on-call/2-pagerduty"]
    assert end.payload["status"] == "resolved"


def test_the_lint_names_a_route_that_says_nothing_new(world):
    story = world(graph=GRAPH)
    domains = ["ecommerce", "streaming"]
    assert doubles(story.config.tree, story.config.rules, domains) == []
    _retree(story, {"receiver": "data-team", "matchers": ['domain="ecommerce"'], "continue": True})
    found = doubles(story.config.tree, story.config.rules, domains)
    assert {(double.receiver, double.domain) for double in found} == {("data-team", "ecommerce")}
