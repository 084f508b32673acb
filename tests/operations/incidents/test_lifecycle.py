"""triggered → acknowledged → resolved; relapses, repeats, timelines and late post-mortems. Each test tells one story."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ops_project.cli import cli
from ops_project.operations.incidents.decide.incident import Refused, acknowledge, resolve

SECOND = timedelta(seconds=5)


def test_an_alert_that_is_acknowledged_acknowledges_its_incident(world):
    day = world()
    day.job_fails()
    day.advance("1m")
    day.ledger.acknowledge(1, "engineer-c", "", day.now)
    day.advance("5m")
    assert (day.incident().status, day.incident().responder) == ("acknowledged", "engineer-c")
    day.advance("4h", timedelta(minutes=20))
    assert day.calls() == []


def test_the_data_recovers_and_nobody_is_called_afterwards(world):
    day = world()
    day.job_fails()
    day.advance("61m")
    assert day.calls() == ["engineer-a"]
    day.job_succeeds()
    day.advance("1m")
    assert day.incident().status == "resolved"
    assert day.calls() == ["engineer-a"], "whoever was called hears of the end"
    day.advance("5h", timedelta(minutes=20))
    assert day.calls() == []
    assert "data_recovered" in day.timeline()


def test_an_alert_that_opens_no_incident_keeps_none_open(world):
    """The share of a week's failed runs stays high for days after the repair. The ladder used to climb all that time."""
    day = world()
    for run in range(3):
        day.signal(
            "run.outcome", "firing", pipeline="investor_pipeline", domain="investor", total=1.0, run_id=f"r{run}"
        )
    day.job_fails()
    day.advance("31m")
    rules = {alert.number: alert.rule for alert in day.ledger.alerts("open")}
    assert set(rules.values()) == {"job_failure", "low_success_rate"}
    assert set(day.incident().alerts) == set(rules)
    assert day.timeline().count("alert_joined") == 1
    day.job_succeeds()
    day.advance("2h", timedelta(minutes=20))
    assert [alert.rule for alert in day.ledger.alerts("open")] == ["low_success_rate"]
    assert [incident.status for incident in day.ledger.incidents()] == ["resolved"]
    assert day.timeline().count("alert_joined") == 1


def test_a_person_who_resolves_says_why_and_a_resolved_incident_is_not_resolved_twice(world):
    day = world()
    day.job_fails()
    day.advance("1m")
    with pytest.raises(Refused, match="what the cause was"):
        day.ledger.change_incident(1, lambda i: resolve(i, "engineer-a", " ", "", day.now), day.now)
    assert day.incident().status == "triggered"
    ended = day.ledger.change_incident(
        1, lambda i: resolve(i, "engineer-a", "a bad release", "rolled back", day.now), day.now
    )
    assert (ended.status, ended.cause) == ("resolved", "a bad release")
    for change in (lambda i: resolve(i, "b", "x", "y", day.now), lambda i: acknowledge(i, "b", "", day.now)):
        with pytest.raises(Refused, match="is resolved"):
            day.ledger.change_incident(1, change, day.now)
    day.advance("5h", timedelta(minutes=20))
    assert day.calls() == [], "no escalation after the end, although the alert still fires"
    assert day.ledger.incidents() == [day.incident()]


def test_a_relapse_reopens_the_incident_with_its_history_and_a_late_one_opens_another(world):
    day = world()
    day.job_fails()
    day.advance("5m")
    day.job_succeeds()
    day.advance("2h", timedelta(minutes=20))
    day.job_fails()
    day.advance("1m")
    assert day.incident().status == "triggered"
    assert "reopened_by_relapse" in day.timeline() and day.timeline().count("opened") == 1
    day.calls()
    day.advance("61m")
    assert day.calls() == ["engineer-a"], "the ladder begins anew"
    day.job_succeeds()
    day.advance("5h", timedelta(minutes=20))
    day.job_fails()
    day.advance("1m")
    assert [i.number for i in day.ledger.incidents("open")] == [2]


def test_an_alert_that_fires_again_before_its_end_was_told_is_a_relapse(world):
    # On a Saturday the routes of `high` alerts are quiet, so the end of the alert is not sent.
    day = world(at="2026-11-28T12:00")

    def fails(state: str = "firing") -> None:
        day.signal("landing.finding", state, asset="bronze/orders", domain="ecommerce", check="source_partial")
        day.advance("2m", timedelta(minutes=2))

    fails()
    [alert] = day.incident().alerts
    fails("ok")
    assert day.incident().status == "resolved"
    fails()
    assert day.incident().alerts == (alert,), "the alert kept its number"
    assert day.incident().status == "triggered"
    assert day.timeline().count("reopened_by_relapse") == day.timeline().count("opened") == 1

    def solved(incident):
        return resolve(incident, "engineer-a", "a bad file", "left as it is", day.now)

    day.ledger.change_incident(1, solved, day.now)
    day.advance("10m")
    assert day.incident().status == "resolved", "the alert fires all the while"
    fails("ok")
    fails()
    assert day.incident().status == "triggered", "it had stopped, and came back"
    fails("ok")
    day.advance("5h", timedelta(minutes=30))
    fails()
    assert [i.number for i in day.ledger.incidents("open")] == [2], "too late for a relapse"
    day.advance("10m")
    assert [i.number for i in day.ledger.incidents("open")] == [2]


def test_one_of_several_alerts_fires_again_while_the_others_end(world):
    day = world(at="2026-11-28T12:00")  # On a Saturday the end of an alert is not sent, so it keeps its number.

    def reads(check, state="firing"):
        day.now += timedelta(minutes=2)
        day.signal("landing.finding", state, asset="bronze/orders", domain="ecommerce", check=check)
        day.cycle()

    reads("source_partial")
    reads("refused")
    first, second = day.incident().alerts
    reads("source_partial", "ok")
    assert (day.incident().status, day.incident().firing) == ("triggered", (second,))
    reads("source_partial")
    reads("refused", "ok")
    assert (day.incident().status, day.incident().firing) == ("triggered", (first,)), "the first one came back"
    reads("source_partial", "ok")
    assert day.incident().status == "resolved"
    assert day.incident().alerts == (first, second), "each is counted once"
    day.advance("3h", timedelta(hours=3))  # The time is long enough that the alert does not count as flapping.

    reads("source_partial")
    reads("refused")
    day.ledger.change_incident(1, lambda i: resolve(i, "engineer-a", "a bad file", "left as it is", day.now), day.now)
    reads("source_partial", "ok")
    reads("source_partial")
    assert day.incident().status == "triggered"
    reads("source_partial", "ok")
    assert second in day.incident().firing, "the other one has been firing all the while"
    assert day.incident().status == "triggered"
    reads("refused", "ok")
    day.advance("1h", timedelta(minutes=30))
    assert day.incident().status == "resolved"
    assert [i.number for i in day.ledger.incidents()] == [1]
    assert day.timeline().count("opened") == 1 and day.timeline().count("reopened_by_relapse") == 2


def test_the_third_repeat_within_a_week_brings_in_the_project_manager_once(world):
    day = world()
    for occurrence in range(5):
        day.job_fails()
        day.advance("5m")
        day.job_succeeds()
        day.advance("9h", timedelta(hours=1))
        expected = ["project-manager"] if occurrence == 3 else []
        assert [c for c in day.calls() if c == "project-manager"] == expected, occurrence


def test_a_related_alert_joins_by_lineage_and_an_unrelated_one_of_the_same_name_does_not(world):
    day = world()
    day.asset_fails("silver/fact_transactions")
    day.asset_fails("bronze/orders")
    day.advance("1m")
    assert len(day.ledger.incidents("open")) == 2
    day.asset_fails("gold/kpi_aggregate_profit")
    day.asset_fails("bronze/transactions")
    day.advance("1m")
    first = next(i for i in day.ledger.incidents("open") if "silver/fact_transactions" in i.assets)
    assert len(day.ledger.incidents("open")) == 2
    assert len(first.alerts) == 3 and "bronze/transactions" in first.assets
    assert [i.priority for i in day.ledger.incidents("open")] == ["P2", "P2"]


def test_a_post_mortem_that_is_late_is_asked_for_further_up_each_time(world):
    day = world()
    day.job_fails()
    day.advance("5m")
    day.job_succeeds()
    day.advance("23h", timedelta(hours=1))
    assert day.calls() == []
    day.advance("2h", timedelta(hours=1))
    assert day.calls() == ["data-manager"]
    day.advance("25h", timedelta(hours=1))
    assert day.calls() == ["vp-engineering"]
    day.advance("50h", timedelta(hours=5))
    assert day.calls() == []


def test_the_timeline_is_added_to_and_never_changed(world):
    day = world()
    day.job_fails()
    day.advance("1m")
    for table in ("incident_events", "audit"):
        with day.ledger.write() as connection:
            connection.execute(
                text(
                    "INSERT INTO audit (at, who, source, action, subject, outcome, detail) VALUES (1,'a','b','c','d','e','f')"
                )
            )
        with pytest.raises(DBAPIError, match="never changed"), day.ledger.write() as connection:
            connection.execute(text(f"UPDATE {table} SET detail = 'something else'"))


def test_a_silenced_alert_opens_no_incident(world):
    from ops_project.model.alerting.matcher import Matcher

    day = world()
    day.ledger.add_silence(
        [Matcher.parse('alertname="job_failure"')],
        starts_at=day.now,
        ends_at=day.now + timedelta(hours=2),
        owner="engineer-a",
        reason="known",
        now=day.now,
    )
    day.job_fails()
    day.advance("1h", timedelta(minutes=20))
    assert day.ledger.incidents() == []
    day.advance("90m", timedelta(minutes=15))
    assert [i.status for i in day.ledger.incidents()] == ["triggered"]


def test_time_to_acknowledge_and_resolve_come_from_the_timeline(world):
    from ops_project.operations.incidents.times import spells, times

    day = world()
    day.job_fails()
    day.cycle()
    day.now += timedelta(minutes=12)
    day.ledger.change_incident(1, lambda i: acknowledge(i, "engineer-a", "", day.now), day.now)
    day.now += timedelta(minutes=18)
    day.job_succeeds()
    day.cycle()
    day.now += timedelta(hours=1)
    day.job_fails()
    day.cycle()
    day.now += timedelta(minutes=10)
    day.job_succeeds()
    day.cycle()
    found = times(spells(day.ledger.incident_timeline(1)))
    assert (found.openings, found.unanswered) == (2, 1)
    assert found.mean_to_acknowledge == 12 * 60
    assert found.mean_to_resolve == (30 + 10) / 2 * 60


def test_a_hold_past_its_limit_is_told_once_to_whoever_made_it(world):
    day = world()
    day.ledger.hold(
        "insurance", why="odd premiums", by="engineer-c", now=day.now, until=day.now + timedelta(hours=2), incident=None
    )

    def notices() -> list[str]:
        return [
            r["recipient"] for r in day.ledger.outbox_list(None, 100) if r["kind"] == "hold" and "file" in r["channel"]
        ]

    day.advance("1h", timedelta(minutes=30))
    assert notices() == []
    day.advance("6h", timedelta(minutes=30))
    assert notices() == ["engineer-c"]


def test_a_diagnosis_of_an_incident_that_has_ended_says_where_the_one_of_then_is(world):
    day = world()
    day.job_fails()
    day.advance("1m", SECOND)
    words = [*day.settings.options(), "diagnose", "1"]
    assert "ended" not in CliRunner().invoke(cli, words).stderr
    day.ledger.change_incident(
        1, lambda i: resolve(i, "engineer-a", "a bad release", "rolled back", day.now), day.now, ("engineer-a", "")
    )
    assert "`ops incidents show 1 --evidence` shows what was found" in CliRunner().invoke(cli, words).stderr
