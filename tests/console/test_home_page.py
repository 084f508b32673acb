"""Whether everything is all right. There are three states, and unknown is never well."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops_project.catalog import load
from ops_project.console import health
from ops_project.console.app import create_app, warm
from ops_project.console.health import DomainFacts, Looked, State
from ops_project.console.pages import home
from ops_project.console.pages.home import domain_lines
from ops_project.console.run_history import lanes
from ops_project.console.site import Site
from ops_project.dagster_bridge.runs_file import RecentRun
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.alert_rows import alert_row
from ops_project.operations.ledger.schema import alerts
from ops_project.settings import Settings
from tests.console.visit import Visit
from tests.operations.incidents.world import IncidentWorld

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
GOOD = State("well", "they look", NOW)
FACTS = Observer("facts", lambda view: Observation(), every=timedelta(seconds=1))
QUIET = Looked("daemon", NOW, None, {}, {}, 0, 0)


def alert(number: int = 1, severity: str = "high") -> Alert:
    return Alert(number, "k", "r", FIRING, severity, {}, NOW - timedelta(hours=2), NOW, summary=f"broken {number}")


def test_the_page_says_what_is_wrong_who_is_on_call_and_since_when(visit):
    text = visit.text("/")
    assert "Something is wrong." in text and "1 open incident" in text and "not acknowledged" in text
    assert "is called first" in text and "Investor metrics" in text
    assert 'href="/incidents/1"' in text and "· Operations-ready data platform</title>" in text


def test_not_all_is_well_while_an_incident_is_open(visit, monkeypatch):
    """An alert of medium severity opens an incident, although every domain still counts as well."""
    monkeypatch.setattr(health, "overall", lambda states: "well")
    text = visit.text("/")
    assert "Every domain delivers." in text and "1 open incident" in text and "All is well" not in text


def test_where_nothing_ever_ran_nothing_is_well(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    with Visit(day) as visit:
        text = visit.text("/")
    assert "Not everything is known." in text and "0 of 5 domains are well" in text
    assert "It has never run here." in text and "Nothing has been checked yet" in text
    assert "All is well" not in text and "Nothing ran in the last 24 hours" in text


@pytest.mark.parametrize(
    ("looked", "state"),
    [
        (QUIET, "well"),
        (Looked("", None, None, {}, {}, 0, 0), "unknown"),
        (Looked("daemon", NOW - timedelta(minutes=6), None, {}, {}, 0, 0), "wrong"),
        (Looked("shell", NOW - timedelta(hours=25), None, {}, {}, 0, 0), "well"),
        (Looked("shell", NOW - timedelta(hours=27), None, {}, {}, 0, 0), "unknown"),
        (Looked("watch", NOW, NOW, {}, {}, 0, 0), "wrong"),
        (Looked("daemon", NOW, None, {}, {}, 0, 0, ended=True), "unknown"),
        (Looked("daemon", NOW, None, {"snapshot": "boom"}, {}, 0, 0), "wrong"),
        (Looked("daemon", NOW, None, {}, {"on-call/0-email": "refused"}, 0, 3), "wrong"),
        (Looked("daemon", NOW, None, {}, {}, 2, 0), "wrong"),
    ],
)
def test_the_watchers(looked, state):
    assert health.watchers(looked, NOW).state == state


def test_after_the_daemon_was_stopped_a_later_cycle_by_hand_counts(tmp_path):
    settings = Settings(home=tmp_path / "home")
    catalog, ledger = load(settings), open_ledger(settings)

    def cycle(at, **options):
        run_once(settings, catalog, at, observers=[FACTS], **options)
        return home.looked(ledger, at)

    assert not cycle(NOW, daemon=True).ended
    assert cycle(NOW + timedelta(seconds=10)).role == "daemon"
    cycle(NOW + timedelta(seconds=15), daemon=True)
    authority.stopped(ledger, authority.DAEMON, NOW + timedelta(seconds=20))
    stopped = home.looked(ledger, NOW + timedelta(seconds=20))
    assert stopped.ended and health.watchers(stopped, NOW + timedelta(seconds=20)).state == "unknown"
    later = cycle(NOW + timedelta(seconds=30))
    assert (later.role, later.ended, later.at) == ("shell", False, NOW + timedelta(seconds=30))
    assert health.watchers(later, NOW + timedelta(seconds=30)).state == "well"


@pytest.mark.parametrize(
    ("facts", "looks", "state"),
    [
        (DomainFacts([], [], NOW, None), GOOD, "well"),
        (DomainFacts([], [], NOW, None, "Dagster's runs cannot be read: …"), GOOD, "unknown"),
        (DomainFacts([alert()], [], NOW, None, "Dagster's runs cannot be read: …"), GOOD, "wrong"),
        (DomainFacts([], [], None, None), GOOD, "unknown"),
        (DomainFacts([], [], NOW, None), health.watchers(Looked("", None, None, {}, {}, 0, 0), NOW), "unknown"),
        (DomainFacts([], [], NOW, None), State("wrong", "The daemon has stopped looking.", NOW), "unknown"),
        (DomainFacts([], [], NOW, None), State("wrong", "Messages do not arrive.", NOW), "well"),
        (DomainFacts([alert()], [], NOW, None), State("unknown", "nobody looks", NOW), "wrong"),
        (DomainFacts([alert(severity="low")], [], NOW, None), GOOD, "well"),
        (DomainFacts([], [{"state": "missed", "title": "by 8", "due": NOW}], NOW, None), GOOD, "wrong"),
        (DomainFacts([], [{"state": "ready", "title": "by 8", "due": NOW}], NOW, None), GOOD, "well"),
    ],
)
def test_a_domain(facts, looks, state):
    assert health.domain(facts, looks).state == state


def test_the_worst_alert_is_named_and_the_oldest_says_since_when():
    found = health.domain(DomainFacts([alert(1), alert(2, "critical")], [], NOW, None), GOOD)
    assert found.words == "broken 2 and 1 more" and found.since == NOW - timedelta(hours=2)


def test_all_is_well_only_where_every_one_is():
    assert health.overall([GOOD, GOOD]) == "well"
    assert health.overall([GOOD, State("unknown", "")]) == "unknown"
    assert health.overall([State("unknown", ""), State("wrong", "")]) == "wrong"
    assert health.overall([]) == "unknown"


def test_runs_are_bars_on_one_line_of_time():
    start = NOW - timedelta(hours=24)

    def run(job: str, began: float, ended: float | None, state: str) -> RecentRun:
        end = None if ended is None else start + timedelta(hours=ended)
        return RecentRun("r", job, state, start + timedelta(hours=began), end, "investor")

    found = lanes(
        [
            run("b", 12, None, "started"),
            run("a", 6, 12, "success"),
            run("a", -1, 2, "failure"),
            run("c", -3, -1, "success"),
        ],
        start,
        NOW,
    )
    assert [(lane.job, lane.failed) for lane in found] == [("a", 1), ("b", 0)]
    first, second = found[0].bars
    assert (first.left, round(first.width, 1), first.state) == (0.0, 8.3, "wrong")
    assert (second.left, second.width, second.state) == (25.0, 25.0, "well")
    assert (found[1].bars[0].left, found[1].bars[0].width, found[1].bars[0].state) == (50.0, 50.0, "runs")


def test_the_server_asks_for_its_first_page_before_a_visitor_does(told):
    """The first visitor waits no longer than the second one. If a page fails here, the first visitor sees the error."""
    asked = []

    def clock() -> datetime:
        asked.append("home")
        return told.now

    app = create_app(told.settings, clock=clock)
    assert asyncio.run(warm(app)) == 200 and asked
    app.state.site.reader.close()

    def broken() -> datetime:
        raise OSError("no clock")

    assert asyncio.run(warm(create_app(told.settings, clock=broken))) in (0, 500)


def test_a_domain_is_wrong_however_many_newer_alerts_other_domains_have(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 09:00")
    late = replace(alert(1, "critical"), key="k0", labels={"domain": "investor"})
    noise = [replace(alert(n, "low"), key=f"k{n}", labels={"domain": "ecommerce"}) for n in range(2, 2_010)]
    with day.ledger.write() as connection:
        connection.execute(alerts.insert(), [alert_row(item, active=True) for item in (late, *noise)])
    site = Site(day.settings, lambda: day.now)
    found = {line.id: line for line in domain_lines(site, day.ledger, GOOD, day.now)}
    site.reader.close()
    assert (found["investor"].state.state, found["investor"].alerts) == ("wrong", 1)
