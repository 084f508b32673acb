"""A person acknowledges an alert: the page stops, nothing is repeated, and new alerts are sent as before."""

from dataclasses import replace
from datetime import timedelta

from ops_project.model.alerting.acknowledgement import Acknowledgement

GRAPH = {"gold/daily_revenue": {}, "gold/customer_metrics": {}}


def _give(day, number: int) -> None:
    day.state.acknowledgements[number] = Acknowledgement(number, "engineer-a", "on it", day.now)


def _failed(day, **fields) -> None:
    day.fails("run.failure", pipeline="master_pipeline", domain="ecommerce", labels={"scheduled": "true"}, **fields)


def test_an_acknowledged_page_is_acknowledged_once_and_not_repeated_until_it_fires_again(world):
    day = world(graph=GRAPH)
    _failed(day)
    day.advance("5s")
    day.expect_to("on-call/2-pagerduty", "on-call pagerduty > : firing Scheduled job master_pipeline failed")
    _give(day, 1)
    day.cycle()
    day.expect_to(
        "on-call/2-pagerduty",
        "on-call pagerduty > : [acknowledged] Scheduled job master_pipeline failed, by engineer-a",
    )
    day.forget_others()
    day.advance("9h", timedelta(minutes=5))
    assert [n for n in day.inbox if n.severity == "critical"] == []

    day.recovers("run.failure", pipeline="master_pipeline", domain="ecommerce", labels={"scheduled": "true"})
    day.advance("1m")
    day.expect_to("on-call/2-pagerduty", "on-call pagerduty > : resolved Scheduled job master_pipeline failed")
    _failed(day)
    day.advance("1m")
    day.expect_to("on-call/2-pagerduty", "on-call pagerduty > : firing Scheduled job master_pipeline failed")
    assert [a.acknowledged_by for a in day.state.alerts.values()] == [""], "a new failure is nobody's yet"


def test_news_of_a_group_is_told_although_its_first_alert_is_acknowledged_and_says_so(world):
    day = world(graph=GRAPH)
    day.fails("asset.failure", asset="gold/daily_revenue")
    day.advance("1m")
    day.forget_others()
    _give(day, 1)
    day.advance("5h", timedelta(minutes=5))
    day.expect_silence()
    day.fails("asset.failure", asset="gold/customer_metrics")
    day.advance("6m")
    [mail] = [n for n in day.inbox if n.channel == "data-team/2-email"]
    assert [(a["number"], a["acknowledged"]) for a in mail.payload["alerts"]] == [
        (2, ""),
        (1, "by engineer-a, 2026-03-04 15:01 UTC: on it"),
    ]
    day.forget_others()
    day.advance("5h", timedelta(minutes=5))
    assert day.inbox, "one of the two is nobody's: the group is repeated"


def _breach(day, sla: str, state: str = "firing") -> None:
    day.signal(
        "sla.breach",
        state,
        domain="investor",
        pipeline="investor_pipeline",
        check=sla,
        partition="2026-03-04",
        labels={"sla": sla, "sla_severity": "critical"},
        owners=("team:investor-metrics",),
    )


def _pages(day) -> list:
    return [n for n in day.inbox if n.channel == "on-call/2-pagerduty"]


def test_a_page_that_leaves_after_its_alert_was_acknowledged_is_acknowledged_behind_it(world):
    day = world(graph=GRAPH)
    _failed(day)
    day.cycle()
    assert _pages(day) == [], "the group waits for company"
    _give(day, 1)
    day.advance("1m", timedelta(seconds=1))
    assert [n.kind for n in _pages(day)] == ["alert", "acknowledge"]
    assert len({n.key for n in _pages(day)}) == 2


def test_a_page_that_shrinks_to_what_is_acknowledged_is_acknowledged_again_after_it_was_triggered_again(world):
    day = world(graph=GRAPH)
    _breach(day, "A")
    _breach(day, "B")
    day.advance("10s", timedelta(seconds=1))
    assert [n.kind for n in _pages(day)] == ["alert"]
    _give(day, 1)
    day.advance("1m")
    assert [n.kind for n in _pages(day)] == ["alert"], "one of the two is nobody's"
    _breach(day, "B", "ok")
    day.forget_others()
    day.advance("20m", timedelta(minutes=1))
    assert [(n.kind, n.firing) for n in _pages(day)] == [("alert", (1,)), ("acknowledge", (1,))]


def test_a_channel_without_its_secrets_in_one_cycle_is_told_of_the_end_in_the_next_and_not_for_ever(world):
    day = world(graph=GRAPH)
    _failed(day)
    day.advance("5s")
    configured = day.config
    day.config = replace(configured, unconfigured=frozenset({"on-call/2-pagerduty"}))
    day.recovers("run.failure", pipeline="master_pipeline", domain="ecommerce", labels={"scheduled": "true"})
    day.advance("20m", timedelta(minutes=1))
    assert [n.kind for n in _pages(day)] == ["alert"]
    assert [(a.status, a.number) for a in day.state.alerts.values()] == [("resolved", 1)]
    elsewhere = [n for n in day.inbox if n.channel == "on-call/3-email" and n.resolved]
    assert len(elsewhere) == 1, "the others are told once"
    kept, kept_at = day.state, day.now
    day.config = configured
    day.advance("6m", timedelta(minutes=1))
    assert [n.resolved for n in _pages(day)] == [(), (1,)]
    assert not day.state.alerts

    day.state, day.now, day.config = kept, kept_at, replace(configured, unconfigured=frozenset({"on-call/2-pagerduty"}))
    day.advance("20d", timedelta(hours=1))
    assert not day.state.alerts and not day.state.groups, "its secrets were taken away for good"
