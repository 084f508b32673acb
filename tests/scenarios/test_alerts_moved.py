"""Whoever was told that an alert fires is told that it ends, also if severities and routes are edited meanwhile. The
owners of a silent alert hear of it through the route of their own alert.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ops_project.model.alerting.route import Route
from ops_project.operations.alerting.decide.routing import compile_tree

MINUTE = timedelta(minutes=1)
GRAPH = {
    "bronze/policies": {"domain": "insurance", "owners": ("team:insurance-data",)},
    "gold/loss_ratio": {"from": ["bronze/policies"], "domain": "investor", "owners": ("team:investor-metrics",)},
    "gold/titles": {"domain": "streaming", "owners": ("team:streaming-data",)},
}
PAGER, OWNERS, TEAM = "on-call/2-pagerduty", "owners/0-email", "data-team/0-file"


def _said(story, channel: str) -> list[tuple[str, str, str]]:
    """(recipient, status, group) of the messages through a channel since the last look."""
    found = [(n.recipient, n.payload["status"], n.group) for n in story.inbox if n.channel == channel]
    story.inbox = [n for n in story.inbox if n.channel != channel]
    return found


def _severity(story, rule: str, severity: str) -> None:
    edited = story.config.rules[rule].model_copy(update={"severity": severity})
    story.config = replace(story.config, rules={**story.config.rules, rule: edited})


def _routes(story, *routes: Route) -> None:
    tree = story.catalog.routes.route.model_copy(update={"routes": routes})
    story.config = replace(story.config, tree=compile_tree(tree))


def _breach(story, name: str, state: str) -> None:
    labels = {"sla": name, "sla_severity": "critical"}
    story.signal("sla.breach", state, pipeline="investor_pipeline", check=name, partition="2026-03-04", labels=labels)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_page_ends_although_its_rule_is_no_longer_critical(world, restarts):
    night = world(at="2026-03-04 02:10", graph=GRAPH)
    night.reads("quality.score", 41.0, asset="gold/titles")
    night.advance("10m", MINUTE)
    [(_, status, page)] = _said(night, PAGER)
    assert status == "firing"
    _severity(night, "quality_score_stops", "high")
    night.advance("10m", MINUTE)
    if restarts:
        night.restart()
    night.advance("5h", 5 * MINUTE)
    assert _said(night, PAGER) == [], "the pager is not told again"
    night.reads("quality.score", 99.0, asset="gold/titles")
    night.advance("10m", MINUTE)
    assert _said(night, PAGER) == [("", "resolved", page)]
    night.advance("1d", timedelta(minutes=30))
    assert not night.state.groups and not night.state.alerts


def test_an_owner_hears_of_the_end_of_what_became_critical(world):
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="gold/titles")
    day.advance("10m", MINUTE)
    _severity(day, "asset_failure", "critical")
    day.advance("10m", MINUTE)
    day.recovers("asset.failure", asset="gold/titles")
    day.advance("10m", MINUTE)
    assert [(to, status) for to, status, _ in _said(day, OWNERS)] == [
        ("streaming-data@example.com", "firing"),
        ("streaming-data@example.com", "resolved"),
    ]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_owner_is_not_told_again_of_a_cause_whose_symptom_is_now_in_another_group(world, restarts):
    """Before, the symptom counted as news: the record of it had moved to its own group, and the message about the cause
    listed it once more.
    """
    graph = {
        **GRAPH,
        "silver/titles": {"from": ["gold/titles"], "domain": "streaming", "owners": ("team:streaming-data",)},
    }
    day = world(graph=graph)
    for asset in ("gold/titles", "silver/titles"):
        day.fails("asset.failure", asset=asset)
    day.advance("12m", MINUTE)
    assert [to for to, _, _ in _said(day, TEAM)] == ["team:streaming-data"]
    _severity(day, "asset_failure", "critical")
    if restarts:
        day.restart()
    day.advance("20m", MINUTE)
    assert _said(day, TEAM) == []


def test_what_is_critical_again_keeps_its_page(world):
    night = world(at="2026-03-04 02:10", graph=GRAPH)
    night.reads("quality.score", 41.0, asset="gold/titles")
    night.advance("10m", MINUTE)
    [(_, _, page)] = _said(night, PAGER)
    for severity in ("high", "critical"):
        _severity(night, "quality_score_stops", severity)
        night.advance("10m", MINUTE)
    assert _said(night, PAGER) == []
    night.reads("quality.score", 99.0, asset="gold/titles")
    night.advance("10m", MINUTE)
    assert _said(night, PAGER) == [("", "resolved", page)]


def test_what_fires_again_after_its_rule_became_critical_is_critical(world):
    """People had not yet been told of its end, and the alert kept its earlier severity."""
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="gold/titles")
    day.advance("10m", MINUTE)
    day.recovers("asset.failure", asset="gold/titles")
    day.cycle()
    _severity(day, "asset_failure", "critical")
    day.now += timedelta(seconds=5)
    day.fails("asset.failure", asset="gold/titles")
    day.advance("10m", MINUTE)
    [alert] = day.state.alerts.values()
    assert (alert.severity, alert.labels["severity"]) == ("critical", "critical")
    assert [n.severity for n in day.inbox if n.channel == PAGER] == ["critical"]


@pytest.mark.parametrize("edit", ["another matcher", "another group", "removed"])
@pytest.mark.parametrize("pages", [1, 2])
def test_a_page_is_not_told_again_and_ends_after_its_route_was_edited(world, edit, pages):
    night = world(at="2026-03-31 23:50", graph=GRAPH)
    for number in range(pages):
        _breach(night, f"promise {number}", "firing")
    night.advance("10m", MINUTE)
    [(_, _, page)] = _said(night, PAGER)
    pager, *others = night.catalog.routes.route.routes
    matchers = Route.model_validate({"matchers": ['severity="critical"', 'domain!="nowhere"']}).matchers
    edited = {
        "another matcher": (pager.model_copy(update={"matchers": matchers}),),
        "another group": (pager.model_copy(update={"group_by": ("alertname",)}),),
        "removed": (),
    }[edit]
    _routes(night, *edited, *others)
    night.advance("30m", MINUTE)
    assert _said(night, PAGER) == []
    for number in range(pages):
        _breach(night, f"promise {number}", "ok")
    night.advance("10m", MINUTE)
    assert _said(night, PAGER) == [("", "resolved", page)]


def test_a_receiver_that_is_removed_after_its_route_breaks_no_later_decision(world):
    night = world(at="2026-03-31 23:50", graph=GRAPH)
    _breach(night, "promise", "firing")
    night.advance("10m", MINUTE)
    _routes(night, *night.catalog.routes.route.routes[1:])
    night.advance("10m", MINUTE)
    assert any(group.route == "(ends) on-call" for group in night.state.groups.values())
    without = {name: found for name, found in night.config.receivers.items() if name != "on-call"}
    night.config = replace(night.config, receivers=without)
    night.forget_others()
    night.advance("10m", MINUTE)
    _breach(night, "promise", "ok")
    night.advance("10m", MINUTE)
    assert {n.receiver for n in night.inbox} == {"data-team"} and not night.state.groups


def test_a_new_alert_does_not_join_a_group_that_moved_away_in_the_same_decision(world):
    day = world(graph=GRAPH)
    day.fails("check.failure", asset="gold/titles", check="rows")
    day.advance("10m", MINUTE)
    day.forget_others()
    tree = day.catalog.routes.route
    by_check = tuple(
        r.model_copy(update={"group_by": ("alertname", "check")}) if r.receiver == "owners" else r for r in tree.routes
    )
    _routes(day, *by_check)
    day.fails("check.failure", asset="gold/titles", check="keys")
    day.advance("10m", MINUTE)
    for group in day.state.groups.values():
        names = {day.state.alerts[n].labels["check"] for n in group.members}
        assert "check" not in group.labels or names == {group.labels["check"]}
    assert [n.payload["subject"] for n in day.inbox if n.channel == OWNERS] == [
        "[HIGH] Check keys of gold/titles failed"
    ]


@pytest.mark.parametrize("later", ["0m", "3m"])
def test_the_owner_of_a_milder_alert_hears_of_it_by_mail_under_a_critical_cause(world, later):
    """The message about the cause went only to the people on call and to the data team."""
    night = world(at="2026-03-04 02:10", graph=GRAPH)
    night.reads("quality.score", 41.0, asset="bronze/policies", run_id="night")
    night.advance(later, MINUTE)
    night.fails("check.failure", asset="gold/loss_ratio", check="totals", run_id="night")
    night.advance("10m", MINUTE)
    [mail] = [n for n in night.inbox if n.channel == OWNERS and n.recipient == "investor-metrics@example.com"]
    [alert] = mail.payload["alerts"]
    assert "Quality score of bronze/policies is 41" in alert["summary"]
    assert "Check totals of gold/loss_ratio failed" in {under["summary"] for under in alert["silent_under_it"]}
    assert len([n for n in night.inbox if n.channel == PAGER]) == 1, "still one page"
    night.forget_others()
    night.restart()
    night.advance("3h", 5 * MINUTE)
    assert _said(night, OWNERS) == []
    night.reads("quality.score", 99.0, asset="bronze/policies")
    night.recovers("check.failure", asset="gold/loss_ratio", check="totals")
    night.advance("10m", MINUTE)
    assert {(to, status) for to, status, _ in _said(night, OWNERS)} == {
        ("investor-metrics@example.com", "resolved"),
        ("insurance-data@example.com", "resolved"),
    }


def test_an_owner_who_was_told_of_the_milder_alert_hears_nothing_new_of_it_under_the_critical_one(world):
    day = world(graph=GRAPH)
    day.reads("freshness.state", 1.0, asset="gold/titles")
    day.advance("10m", MINUTE)
    assert [status for _, status, _ in _said(day, OWNERS)] == ["firing"]
    day.reads("freshness.state", 2.0, asset="gold/titles")
    day.advance("1h", MINUTE)
    assert _said(day, OWNERS) == []
    day.reads("freshness.state", 0.0, asset="gold/titles")
    day.advance("10m", MINUTE)
    assert [status for _, status, _ in _said(day, OWNERS)] == ["resolved"]
