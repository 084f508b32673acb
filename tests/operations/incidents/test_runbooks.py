"""Runbooks have one shape, exist for every rule that pages, and reach a person; their steps read and never write."""

from __future__ import annotations

import json
import shlex

import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.operations.incidents.runbooks import NoRunbook, Step, is_answer, not_shown, read, slugs, words_of
from ops_project.settings import Settings
from tests.operations.incidents.world import IncidentWorld


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home"), environ={}))


def test_every_runbook_has_the_fixed_headings_and_a_diagnosis(loaded):
    for slug in slugs(loaded):
        found = read(loaded, slug)
        assert found.missing() == [], slug
        assert found.steps and [step.number for step in found.steps] == list(range(1, len(found.steps) + 1)), slug


def test_every_rule_that_pages_has_a_runbook_and_ends_at_a_person(loaded):
    paging = {name: rule for name, rule in loaded.rules.rules.items() if rule.severity == "critical"}
    assert paging
    for name, rule in paging.items():
        assert rule.runbook and read(loaded, rule.runbook), name
    for schedule in loaded.oncall.schedules.values():
        people = {p for pair in schedule.rotation for p in (pair.primary, pair.backup)} | {schedule.fallback}
        assert people <= set(loaded.owners.people)


def test_every_failure_class_has_roles_and_every_pipeline_a_runbook(loaded):
    from ops_project.model.failure_class import FAILURE_CLASSES

    assert set(loaded.escalation.class_roles) == set(FAILURE_CLASSES)
    for job, pair in loaded.owners.pipelines.items():
        domain = next((n for n in loaded.domain_ids() if loaded.domains.main_job(n) == job), pair.domain)
        assert read(loaded, pair.runbook or loaded.domain(domain).runbook or ""), job


def test_every_runbook_is_linked_by_a_rule_a_failure_class_a_domain_or_a_pipeline(loaded):
    linked = {rule.runbook for rule in loaded.rules.rules.values()}
    linked |= {slug for rule in loaded.rules.rules.values() for slug in rule.runbooks.values()}
    linked |= {first.runbook for first in loaded.rules.first_responses.values()}
    linked |= {loaded.domain(domain).runbook for domain in loaded.domain_ids()}
    linked |= {pair.runbook for pair in loaded.owners.pipelines.values()}
    assert set(slugs(loaded)) <= linked


def test_a_promise_may_name_what_the_incident_is_about():
    step = Step(1, "", (), ("FEED", "INCIDENT 7", "at all", "ASSET"))
    assert not_shown(step, {"feed": "orders", "incident": "3"}, "or\nders … 3 7, at\nall") == []
    assert not_shown(step, {"feed": "orders", "incident": "3"}, "nothing") == ["orders", "3 7", "at all"]


def test_the_alert_that_links_the_runbook_fills_its_steps_in(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.signal("check.failure", "firing", asset="bronze/orders", domain="ecommerce", check="volume")
    day.advance("1m")
    day.signal("asset.failure", "firing", asset="gold/daily_revenue", domain="ecommerce", failure_class="storage_full")
    day.advance("1m")
    words = ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), "runbook", "run"]
    for slug, asset in (("resources", "gold/daily_revenue"), ("data-quality", "bronze/orders")):
        ended = CliRunner().invoke(cli, [*words, slug, "--incident", "1", "--step", "1", "--json"])
        [first] = json.loads(ended.stdout)
        assert asset in first["output"].split("Downstream")[0], ended.output


@pytest.mark.parametrize(
    "command",
    [
        "ops run",
        "ops hold shop --why x",
        "ops silence add x=y",
        "ops alerts ack 1",
        "rm -rf /",
        "ops incidents resolve 1",
    ],
)
def test_a_step_that_would_change_something_is_not_run(command):
    with pytest.raises(ValueError, match="not run"):
        words_of(command, {})


def test_places_are_filled_in_from_the_incident():
    assert words_of("ops alerts show {alert}", {"alert": "7"}) == ["alerts", "show", "7"]
    assert words_of("ops alerts show N", {"alert": "7"}) == ["alerts", "show", "7"]
    with pytest.raises(ValueError, match="needs alert"):
        words_of("ops alerts show {alert}", {})


def test_a_runbook_that_is_not_there_is_named(loaded):
    for slug in ("none", "../config/owners", ""):
        with pytest.raises(NoRunbook, match="ops runbook list"):
            read(loaded, slug)


def test_the_steps_of_an_incident_run_and_their_output_is_kept_with_it(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",), message="column not found")
    day.advance("1m")
    words = ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), "runbook", "run", "pipeline-failure"]
    ended = CliRunner().invoke(cli, [*words, "--incident", "1", "--step", "1", "--by", "engineer-a", "--json"])
    assert ended.exit_code == 0, ended.output
    [first] = json.loads(ended.output)
    assert first["command"] == "ops alerts show N" and "column not found" in first["output"]
    [kept] = day.ledger.evidence(1, "runbook")
    assert "column not found" in kept["body"] and kept["by"] == "engineer-a"
    assert "runbook_run" in day.timeline()


def _refused_file(tmp_path, content):
    """An incident about a file of the archive, and the steps of its runbook."""
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    kept = tmp_path / "in the archive" / "2026-03-03" / "0123456789ab_orders_2026-03-03.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text(content)
    day.signal(
        "landing.finding",
        "firing",
        asset="bronze/orders",
        domain="ecommerce",
        check="schema_mismatch",
        partition="2026-03-03",
        failure_class="schema_mismatch",
        labels={"finding": "schema_mismatch", "feed": "orders", "archived": str(kept)},
    )
    day.advance("1m")
    return day, kept


def test_the_file_of_the_incident_is_filled_in_and_its_refusal_is_an_answer(tmp_path):
    day, kept = _refused_file(tmp_path, "nothing,of,it\n1,2,3\n")
    words = ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), "runbook", "run", "source-arrival"]
    ended = CliRunner().invoke(cli, [*words, "--incident", "1", "--step", "2", "--json"])
    [checked] = json.loads(ended.stdout)
    assert ended.exit_code == 0 and checked["state"] == "done", ended.output
    assert checked["ran"] == f'ops feed check "{kept}" --feed orders'
    assert "would be rejected" in checked["output"]
    shown = CliRunner().invoke(cli, [*words, "--incident", "1", "--step", "2"])
    assert "orders_2026-03-03.csv" in shown.output.splitlines()[0]
    assert shlex.split(checked["ran"]) == ["ops", "feed", "check", str(kept), "--feed", "orders"]


def test_a_file_that_is_gone_is_a_failed_step(tmp_path):
    day, kept = _refused_file(tmp_path, "x")
    kept.unlink()
    words = ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), "runbook", "run", "source-arrival"]
    ended = CliRunner().invoke(cli, [*words, "--incident", "1", "--step", "2", "--json"])
    assert ended.exit_code == 1 and json.loads(ended.stdout)[0]["state"] == "failed"


def test_what_the_incident_does_not_name_is_said_without_sending_the_reader_round(tmp_path):
    with pytest.raises(ValueError, match="the incident does not name"):
        words_of("ops feed check FILE --feed NAME", {"alert": "7", "feed": "orders"})
    with pytest.raises(ValueError, match="--incident NUMBER"):
        words_of("ops feed check FILE --feed NAME", {})


def test_a_reconciliation_is_read_again_and_its_break_is_an_answer():
    words = words_of("ops reconcile CHAIN --date YYYY-MM-DD", {"chain": "policies", "date": "2026-03-02"})
    assert words == ["reconcile", "policies", "--date", "2026-03-02"]
    assert is_answer(words, 1, "") and not is_answer(words, 1, "Error: no snapshot") and not is_answer(words, 2, "")
    assert is_answer(["status"], 1, ""), "a ledger that is lost"
    assert not is_answer(["sla"], 1, "")
