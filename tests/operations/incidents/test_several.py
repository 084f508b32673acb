"""A command that acts on an incident, an alert or a silence takes several numbers."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.cli.reference import walk
from ops_project.model.alerting.matcher import Matcher
from ops_project.operations.incidents import actions
from ops_project.operations.incidents.postmortem import QUESTIONS
from ops_project.operations.ledger import Ledger
from tests.operations.incidents.world import IncidentWorld

READS_ONE = {"ops alerts show", "ops incidents show", "ops incidents postmortem"}
"""These print the page of one thing."""


def _ops(day: IncidentWorld, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), *words])


@pytest.fixture
def two(tmp_path) -> IncidentWorld:
    """A world with the open incidents 1 and 2."""
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.job_fails("master_pipeline", "ecommerce", assets=("gold/daily_revenue",))
    day.advance("1m")
    assert [i.number for i in day.ledger.incidents("open")] == [2, 1]
    return day


def test_a_command_that_acts_on_a_number_takes_several():
    one = {
        path
        for path, command in walk(cli, "ops")
        for given in command.params
        if given.param_type_name == "argument" and given.name in ("number", "numbers") and given.nargs == 1
    }
    assert one == READS_ONE


def test_two_incidents_are_acknowledged_given_back_taken_noted_and_resolved_at_once(two):
    by = ("--by", "engineer-a", "--json")
    for words, status in (
        (("ack", "1", "2"), "acknowledged"),
        (("note", "1", "2", "the release of noon"), "acknowledged"),
        (("unack", "1", "2", "1"), "triggered"),
        (("take", "1", "2"), "acknowledged"),
        (("resolve", "1", "2", "--cause", "c", "--reason", "r"), "resolved"),
    ):
        done = _ops(two, "incidents", *words, *by)
        assert done.exit_code == 0, done.output
        assert [(row["number"], row["status"]) for row in json.loads(done.output)] == [(1, status), (2, status)]
    assert two.ledger.count_audit() == 10


def test_one_wrong_number_changes_no_incident(two):
    _ops(two, "incidents", "ack", "2", "--by", "engineer-b")
    for other in ("2", "7"):
        refused = _ops(two, "incidents", "ack", "1", other, "--by", "engineer-a")
        assert refused.exit_code == 1 and f"incident {other}" in refused.output
        assert two.ledger.incident(1).status == "triggered"
        assert two.ledger.audit_log(1)[0]["outcome"] == "refused"
        assert refused.output.strip().endswith(_nothing_but(other)), refused.output
    alone = _ops(two, "incidents", "ack", "2", "--by", "engineer-a")
    assert alone.exit_code == 1 and "Nothing was changed" not in alone.output


def test_if_somebody_is_faster_at_one_of_several_incidents_those_that_are_done_are_named(two, monkeypatch):
    two.job_fails("insurance_pipeline", "insurance", assets=("bronze/policies",))
    two.advance("1m")
    meant = actions.acknowledge

    def somebody_is_faster(ledger, number, *rest):
        if isinstance(ledger, Ledger) and number == 2:  # After the look at all three, and before the second is done.
            meant(ledger, 2, "engineer-b", "", two.now)
        return meant(ledger, number, *rest)

    monkeypatch.setattr(actions, "acknowledge", somebody_is_faster)
    refused = _ops(two, "incidents", "ack", "1", "2", "3", "--by", "engineer-a")
    assert refused.exit_code == 1
    assert refused.output.strip().endswith(". Already done: 1; not yet: 3"), refused.output
    assert [two.ledger.incident(number).responder for number in (1, 2, 3)] == ["engineer-a", "engineer-b", ""]


def _silence(day: IncidentWorld) -> None:
    day.ledger.add_silence(
        [Matcher("asset", "=", "gold/daily_revenue")],
        starts_at=day.now,
        ends_at=day.now + timedelta(hours=2),
        owner="engineer-a",
        reason="r",
        now=day.now,
    )


def _nothing_but(number: str) -> str:
    return f". Nothing was changed; leave out {number}, and the others are done"


def test_each_command_that_refuses_one_of_several_numbers_says_that_nothing_was_changed(two):
    by = ("--by", "engineer-a")
    _silence(two)
    for words in (
        ("alerts", "ack", "1", "70", *by),
        ("alerts", "resolve", "1", "70", "--why", "w", *by),
        ("alerts", "verdict", "1", "70", "noise", "--why", "w", *by),
        ("silence", "expire", "1", "70"),
        *(("incidents", verb, "1", "70", *by) for verb in ("ack", "take")),
        ("incidents", "note", "1", "70", "text", *by),
        ("incidents", "resolve", "1", "70", "--cause", "c", "--reason", "r", *by),
    ):
        done = _ops(two, *words)
        assert done.exit_code == 1 and done.output.strip().endswith(_nothing_but("70")), done.output
        place = words.index("70") + 1
        done = _ops(two, *words[:place], "71", *words[place:])
        assert done.exit_code == 1 and done.output.strip().endswith(_nothing_but("70 and 71")), done.output
        done = _ops(two, *words[: place - 2], "70", "71", *words[place:])
        assert done.exit_code == 1 and done.output.strip().endswith(". Nothing was changed"), done.output
        assert all(re.search(rf"(alert|silence|incident) {number}\b", done.output) for number in (70, 71)), done.output


def test_a_verdict_and_the_end_of_silences_take_several_numbers(two):
    for _ in range(2):
        _silence(two)
    assert _ops(two, "silence", "expire", "1", "7").exit_code == 1
    assert len(two.ledger.silences(two.now)) == 2, "one wrong number changes nothing"
    assert _ops(two, "silence", "expire", "1", "2").exit_code == 0
    assert two.ledger.silences(two.now) == []
    why = ("--why", "planned", "--by", "engineer-a")
    assert _ops(two, "alerts", "verdict", "1", "70", "noise", *why).exit_code == 1
    assert two.ledger.verdicts() == []
    assert _ops(two, "alerts", "verdict", "1", "2", "noise", *why).exit_code == 0
    assert {row["alert"] for row in two.ledger.verdicts()} == {1, 2}


def test_files_that_come_again_and_again_are_one_incident_that_says_how_many(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    for number in range(6):
        day.signal(
            "landing.finding",
            "firing",
            asset="bronze/orders",
            domain="ecommerce",
            check="source_duplicate",
            partition="2026-03-03" if number < 3 else f"2026-03-0{number - 2}",
            batch_id=f"orders-{number}",
            failure_class="source_duplicate",
            message=f"orders.csv: the same content; it has arrived {number + 2} times",
            labels={"finding": "source_duplicate", "feed": "orders"},
        )
        day.advance("20m")
    [row] = json.loads(_ops(day, "incidents", "list", "--json").output)
    assert len(row["alerts"]) == 3, "each business date is one alert, however often its file comes"
    [_, line] = _ops(day, "incidents", "list").output.splitlines()
    assert "File of orders arrived again: 2026-03-03  " in line and " 3  " in line
    assert "alerts: 3, of which 3 fire" in _ops(day, "incidents", "show", "1").output
    first = json.loads(_ops(day, "alerts", "show", str(row["alerts"][0]), "--json").output)
    assert "it has arrived 7 times" in first["message"]


def test_a_command_that_takes_one_number_prints_one_object(two, tmp_path):
    page = tmp_path / "written.md"
    page.write_text("\n".join(f"{question}\n   An answer." for question in QUESTIONS))
    _ops(two, "incidents", "resolve", "1", "--by", "engineer-a", "--cause", "c", "--reason", "r")
    storing = f"ops incidents postmortem --done {page} --by engineer-a"
    for words in [*sorted(READS_ONE), storing]:
        done = _ops(two, *words.split()[1:], "1", "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["number"] == 1, words
