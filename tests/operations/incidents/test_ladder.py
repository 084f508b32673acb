"""Who is called, and when: the steps of the ladder, its clock, and the people of the rota. Each test tells one story."""

from __future__ import annotations

from datetime import timedelta

from ops_project.model.alerting.matcher import all_match
from ops_project.operations.incidents.decide.incident import acknowledge, unacknowledge
from ops_project.operations.incidents.silencing import silence_firing
from tests.operations.incidents.world import new_york

SECOND = timedelta(seconds=5)


def test_the_clock_from_the_first_page_to_the_data_lead(world):
    day = world()
    day.job_fails()
    day.advance("30s", SECOND)
    assert day.pages() == {"engineer-a": 1}
    assert day.calls() == [], "the first page is the alert's own, and the owner is told beside it"
    opened = day.incident().triggered_at
    day.restart()
    day.advance("59m")
    assert day.calls() == [], "the first hour is the person on call's"
    day.advance("2m", SECOND)
    assert day.calls() == ["engineer-a"], "the pipeline's secondary owner"
    taken = [e for e in day.ledger.incident_timeline(1) if e.reason.value == "step_taken"]
    assert abs(taken[1].at - opened - timedelta(hours=1)) <= timedelta(seconds=10)
    day.advance("57m")
    assert day.calls() == []
    day.restart()
    day.advance("3m", SECOND)
    assert day.calls() == ["data-manager"]
    taken = [e for e in day.ledger.incident_timeline(1) if e.reason.value == "step_taken"]
    assert abs(taken[2].at - opened - timedelta(hours=2)) <= timedelta(seconds=10)
    day.advance("5h", timedelta(minutes=15))
    assert day.calls() == [], "the ladder has ended"


def test_an_acknowledged_incident_climbs_no_further_until_it_is_given_back(world):
    day = world()
    day.job_fails()
    day.advance("10m")
    day.ledger.change_incident(1, lambda i: acknowledge(i, "engineer-a", "on it", day.now), day.now, ("engineer-a", ""))
    day.advance("3h", timedelta(minutes=10))
    assert day.calls() == []
    assert day.ledger.alert(1).acknowledged_by == "engineer-a"
    day.ledger.change_incident(
        1, lambda i: unacknowledge(i, "engineer-a", "must go", day.now), day.now, ("", "must go")
    )
    day.advance("45m")
    assert day.calls() == [], "ten of the sixty minutes had passed"
    day.advance("10m")
    assert day.calls() == ["engineer-a"]
    assert day.ledger.alert(1).acknowledged_by == ""


def test_a_critical_alert_raises_the_priority_and_starts_the_ladder(world):
    day = world()
    day.asset_fails("gold/kpi_aggregate_profit")
    day.advance("30m")
    assert (day.incident().priority, day.incident().policy.ladder) == ("P2", "")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    assert (day.incident().priority, day.incident().policy.ladder) == ("P1", "clock")
    day.advance("61m")
    assert day.calls() == ["engineer-a"]


def test_an_empty_step_is_skipped_at_once_and_the_timeline_says_so(world):
    def empty(data):
        data["ladders"]["clock"]["steps"][1]["to"] = []

    day = world(escalation=empty)
    day.job_fails()
    day.advance("1m")
    assert day.timeline().count("step_skipped") == 1
    day.advance("61m")
    assert day.calls() == ["data-manager"], "the next step takes the empty one's time"
    [skipped] = [e for e in day.ledger.incident_timeline(1) if e.reason.value == "step_skipped"]
    assert "names nobody" in skipped.detail


def test_the_timeline_says_that_nobody_is_left_if_the_last_steps_are_empty(world):
    def empty(data):
        for step in data["ladders"]["clock"]["steps"][1:]:
            step["to"] = []

    day = world(escalation=empty)
    day.job_fails()
    day.advance("1m")
    assert day.timeline().count("ladder_ended") == 1
    day.advance("5m")
    assert day.timeline().count("ladder_ended") == 1


def test_a_silence_of_an_incident_fits_whatever_its_alert_is_called(world):
    """A check's name may hold quotes and backslashes."""
    day = world()
    name = 'accepted_values "a\\b"'
    day.signal("check.failure", "firing", asset="gold/kpi_aggregate_profit", check=name, domain="investor")
    day.advance("1m")
    incident = day.incident()
    [_] = silence_firing(day.ledger, incident, by="engineer-a", span=timedelta(hours=1), why="known", now=day.now)
    [silence] = day.ledger.silences(day.now)
    alert = day.ledger.alert(incident.firing[0])
    assert alert.labels["check"] == name and all_match(silence.matchers, {**alert.labels, "alertname": alert.rule})


def test_a_change_of_the_policy_leaves_an_open_incident_as_it_was(world):
    day = world(escalation=lambda data: None)
    day.job_fails()
    day.advance("10m")

    def hurry(data):
        data["ladders"]["clock"]["steps"][1] = {"level": "hurry", "after": "11m", "to": ["vp-engineering"]}

    day.configure("escalation", hurry)
    day.advance("30m")
    assert day.calls() == []
    day.advance("30m")
    assert day.calls() == ["engineer-a"]


def test_a_swapped_christmas_week_pages_whom_the_two_agreed_on(world):
    from ops_project.operations.incidents.rota import accept_swap, ask_swap, current, end_swap

    day = world("2026-12-01 10:00")
    from ops_project import catalog

    loaded = catalog.load(day.settings)
    roster = current(loaded, day.ledger)["data-engineering"]
    christmas = roster.shift_at(new_york("2026-12-25 12:00"))
    mine, other = roster.holder(christmas)[0], roster.holder(christmas + 1)[0]
    asked = ask_swap(day.ledger, roster, christmas, christmas + 1, by=mine, why="family", now=day.now)
    at = new_york("2026-12-23 03:00")
    assert current(loaded, day.ledger)["data-engineering"].at(at).primary == mine, "not agreed yet"
    accept_swap(day.ledger, asked.number, other, day.now)
    day.now = at
    day.job_fails()
    day.advance("1m")
    assert day.pages() == {other: 1}
    end_swap(day.ledger, asked.number, other, day.now)
    assert current(loaded, day.ledger)["data-engineering"].at(at).primary == mine


def test_at_the_end_of_the_year_both_people_are_paged(world):
    day = world("2026-12-29 03:00")
    day.job_fails()
    day.advance("1m")
    assert len(day.pages()) == 2


def test_the_ladder_stands_down_for_a_pager_that_has_the_page(world, monkeypatch):
    from ops_project.operations.alerting import delivery

    class Taken:
        def send(self, message):
            return "accepted"

    monkeypatch.setenv("OPS_PAGERDUTY_ROUTING_KEY", "key")
    monkeypatch.setattr(delivery.registry, "sender", lambda channel, settings: Taken())
    day = world()
    day.job_fails()
    day.advance("5h", timedelta(minutes=20))
    assert "stands_down_for_pager" in day.timeline()
    assert day.calls() == []


def test_several_people_who_are_called_are_one_message_on_the_terminal(world, capsys):
    day = world()
    day.asset_fails("bronze/orders", failure_class="schema_mismatch")
    day.advance("1m")
    assert day.calls() == ["data-architect", "etl-developer", "tech-ba"]
    told = [row for row in day.ledger.outbox_list(None, 100) if row["channel"] == "escalation/1-console"]
    assert [row["recipient"] for row in told] == [""]
    assert capsys.readouterr().err.count("→ Tech BA, ETL Developer, Data Architect") == 1


def test_without_a_rota_the_backup_is_another_member_of_the_team(world):
    def nobody_takes_turns(data):
        data.update(schedules={}, default=None)

    def by_owner(data):
        data["ladders"]["clock"]["steps"] = [
            {"level": "owner", "after": "0s", "to": ["on-call"]},
            {"level": "backup", "after": "30m", "to": ["on-call", "backup"]},
            {"level": "backup", "after": "45m", "to": ["backup"]},
            {"level": "lead", "after": "1h", "to": ["role:data-lead"]},
        ]

    day = world(oncall=nobody_takes_turns, escalation=by_owner)
    day.job_fails()
    day.advance("70m")
    taken = [
        e.detail.split(": ", 1)[1]
        for e in day.ledger.incident_timeline(1)
        if e.reason.value in ("step_taken", "step_skipped")
    ]
    assert taken == [
        "engineer-b",
        "engineer-b, engineer-a",
        "skipped, backup stands for nobody here: nobody takes turns, and team:investor-metrics has nobody else to call",
        "data-manager",
    ]
