"""The draft holds what was recorded; the written one must answer the five questions."""

from __future__ import annotations

import json
from datetime import timedelta

from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.operations.incidents.postmortem import HEADINGS, QUESTIONS, UNANSWERED, unanswered
from tests.operations.incidents.world import IncidentWorld


def _ops(day: IncidentWorld, *words: str):
    return CliRunner().invoke(cli, ["--home", str(day.settings.home), "--as-of", day.now.isoformat(), *words])


def test_an_incident_names_the_command_that_prints_what_was_gathered(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",))
    day.advance("1m")
    assert "--evidence" not in _ops(day, "incidents", "show", "1").output
    day.ledger.keep_evidence(1, "diagnosis", title="In short", body="the mart", by="diagnosis", now=day.now)
    assert "`ops incidents show 1 --evidence` prints" in _ops(day, "incidents", "show", "1").output


def test_an_incident_from_the_shell_from_acknowledgement_to_post_mortem(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",), message="mail anna@example.org: column not found")
    day.advance("1m")
    [row] = json.loads(_ops(day, "incidents", "list", "--json").output)
    assert (row["priority"], row["status"], row["ladder"]) == ("P1", "triggered", "clock")
    assert "nobody else is called" in _ops(day, "incidents", "ack", "1", "--by", "engineer-a").output
    refused = _ops(day, "incidents", "ack", "1", "--by", "engineer-b")
    assert refused.exit_code == 1 and "take it over" in refused.output
    assert _ops(day, "incidents", "take", "1", "--by", "engineer-b").exit_code == 0
    assert _ops(day, "incidents", "note", "1", "the release of noon", "--by", "engineer-b").exit_code == 0
    day.now += timedelta(minutes=30)
    day.job_succeeds()
    day.advance("1m")
    draft = _ops(day, "incidents", "postmortem", "1").output
    assert all(f"## {heading}" in draft for heading in HEADINGS)
    assert all(question in draft for question in QUESTIONS)
    assert "gold/kpi_aggregate_profit" in draft and "Investor metrics, daily by 08:00 ET" in draft
    assert "31 minutes" in draft and "the release of noon" in draft
    assert "anna@example.org" not in draft, "personal data is masked"
    page = tmp_path / "written.md"
    page.write_text(draft)
    left = _ops(day, "incidents", "postmortem", "1", "--done", str(page))
    assert left.exit_code == 1 and QUESTIONS[0] in left.output
    page.write_text(draft.replace(UNANSWERED, "Because of the release."))
    assert _ops(day, "incidents", "postmortem", "1", "--done", str(page)).exit_code == 0
    day.advance("30h", timedelta(hours=5))
    assert [c for c in day.calls() if c in ("data-manager", "vp-engineering")] == [], "what is written is not asked for"
    log = json.loads(_ops(day, "incidents", "audit", "--json").output)
    assert {(entry["action"], entry["outcome"]) for entry in log} >= {
        ("acknowledge", "done"),
        ("acknowledge", "refused"),
    }
    measured = json.loads(_ops(day, "incidents", "times", "--json").output)
    assert measured["openings"] == 1 and "definitions" in measured


def test_what_was_recorded_stays_in_its_cell_and_an_address_is_masked_where_the_text_is_cut(tmp_path):
    day = IncidentWorld(tmp_path, "2026-03-04 04:10")
    day.job_fails(assets=("gold/kpi_aggregate_profit",), message=f"{'x' * 485} anna.b@example.org failed")
    day.advance("1m")
    done = _ops(day, "incidents", "resolve", "1", "--by", "engineer-a", "--cause", "c", "--reason", "one | two")
    assert done.exit_code == 0, done.output
    draft = _ops(day, "incidents", "postmortem", "1").output
    assert "| How it ended | one \\| two |" in draft
    assert "anna" not in draft


def test_a_question_without_words_is_unanswered():
    text = "\n".join(
        f"{question}\n   {UNANSWERED if index == 2 else 'An answer.'}" for index, question in enumerate(QUESTIONS)
    )
    assert unanswered(text) == [QUESTIONS[2]]
    assert len(unanswered("")) == len(QUESTIONS)
