"""The commands that show and change the rota, and the lints of owners and RACI."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.settings import CONFIG_DIR

NOW = "2026-03-04T15:00:00+00:00"


@pytest.fixture
def ops(tmp_path):
    (tmp_path / "home").mkdir()

    def run(*words: str, overlay: dict[str, dict] | None = None, at: str = NOW):
        front = ["--home", str(tmp_path / "home"), "--as-of", at]
        if overlay is not None:
            folder = tmp_path / "overlay"
            folder.mkdir(exist_ok=True)
            for name, data in overlay.items():
                (folder / name).write_text(yaml.safe_dump(data))
            front += ["--config", str(folder)]
        return CliRunner().invoke(cli, [*front, *words])

    return run


def _shipped(name: str) -> dict:
    return yaml.safe_load((CONFIG_DIR / name).read_text())


def test_who_and_the_calendar_say_the_same(ops):
    who = json.loads(ops("oncall", "who", "--json").output)
    assert (who["primary"], who["backup"], who["why"]) == ("engineer-a", "engineer-c", "rotation")
    rows = json.loads(ops("oncall", "calendar", "--weeks", "4", "--json").output)
    assert [row["primary"] for row in rows] == ["engineer-a", "engineer-b", "engineer-c", "engineer-d", "engineer-a"]
    both = json.loads(ops("oncall", "who", "--at", "2026-12-26T03:00", "--json").output)
    assert len(both["paged"]) == 2
    ical = ops("oncall", "calendar", "--ical", "--weeks", "2").stdout_bytes.decode()
    assert ical.startswith("BEGIN:VCALENDAR\r\n") and ical.count("BEGIN:VEVENT") == ical.count("END:VEVENT") >= 2
    assert all(len(line.encode()) <= 75 for line in ical.split("\r\n"))


def test_the_calendar_has_the_same_events_at_each_call(ops):
    def events(at: str) -> list[tuple[str, ...]]:
        lines = ops("oncall", "calendar", "--ical", "--weeks", "2", at=at).stdout_bytes.decode().split("\r\n")
        told = [line for line in lines if line.startswith(("UID:", "DTSTART:", "DTEND:", "SUMMARY:"))]
        return list(zip(*[iter(told)] * 4, strict=True))

    first, later = events("2026-03-04T15:00:00+00:00"), events("2026-03-04T15:00:02+00:00")
    assert first == later and len(first) == 3
    uid, begins, ends, who = first[0]
    assert uid == "UID:data-engineering-20260302T140000Z@ops-project" and begins == "DTSTART:20260302T140000Z"
    assert ends == "DTEND:20260309T130000Z" and "Engineer A" in who
    made = ops("oncall", "take", "--for", "2h", "--by", "engineer-d", at="2026-03-04T15:00:05+00:00")
    assert made.exit_code == 0
    covered, after = events("2026-03-04T15:10:00+00:00"), events("2026-03-04T18:00:00+00:00")
    assert covered[0][0] == "UID:data-engineering-20260304T150005Z@ops-project" and "Engineer D" in covered[0][3]
    assert after == covered[1:], "the rest of the shift begins where the override ends"


def test_a_swap_has_two_sides_and_either_takes_it_back(ops):
    wrong = ops("oncall", "swap", "2026-03-09", "2026-03-16", "--by", "engineer-a")
    assert wrong.exit_code == 1 and "engineer-b's, not engineer-a's" in wrong.output
    asked = json.loads(ops("oncall", "swap", "2026-03-09", "2026-03-16", "--by", "engineer-b", "--json").output)
    at = ("oncall", "who", "--at", "2026-03-10", "--json")
    assert json.loads(ops(*at).output)["primary"] == "engineer-b", "only asked for"
    refused = ops("oncall", "swap", "--accept", str(asked["number"]), "--by", "engineer-d")
    assert refused.exit_code == 1 and "asks engineer-c" in refused.output
    assert ops("oncall", "swap", "--accept", str(asked["number"]), "--by", "engineer-c").exit_code == 0
    assert json.loads(ops(*at).output)["primary"] == "engineer-c"
    assert json.loads(ops("oncall", "swap", "--list", "--json").output)[0]["state"] == "agreed"
    assert ops("oncall", "swap", "--take-back", str(asked["number"]), "--by", "engineer-b").exit_code == 0
    assert json.loads(ops(*at).output)["primary"] == "engineer-b"
    assert ops("oncall", "swap", "--take-back", str(asked["number"]), "--by", "engineer-b").exit_code == 1
    past = ops("oncall", "swap", "2026-01-05", "2026-03-16", "--by", "engineer-a")
    assert past.exit_code == 1 and "is over" in past.output


def test_an_override_and_a_take_over_hold_until_they_end(ops):
    made = ops(
        "oncall", "override", "engineer-d", "--from", "2026-03-12", "--until", "2026-03-13", "--why", "x", "--json"
    )
    number = json.loads(made.output)["number"]

    def on(day: str) -> str:
        return json.loads(ops("oncall", "who", "--at", day, "--json").output)["primary"]

    assert [on("2026-03-11"), on("2026-03-12"), on("2026-03-13"), on("2026-03-14")] == [
        "engineer-b",
        "engineer-d",
        "engineer-d",
        "engineer-b",
    ]
    assert ops("oncall", "override", "--end", str(number)).exit_code == 0
    assert on("2026-03-12") == "engineer-b"
    assert ops("oncall", "take", "--for", "2h", "--by", "engineer-d").exit_code == 0
    assert on("2026-03-04T10:30") == "engineer-d" and on("2026-03-04T12:30") == "engineer-a"
    nobody = ops("oncall", "override", "anna", "--why", "x")
    assert nobody.exit_code == 2 and "is not a person of owners.yaml" in nobody.output
    assert ops("oncall", "override", "engineer-a", "--until", "2026-01-01", "--why", "x").exit_code == 2


def test_a_gap_is_found_with_a_fix_before_it_begins(ops):
    owners = _shipped("owners.yaml")
    for person in ("engineer-b", "engineer-d"):
        owners["people"][person]["absences"] = [{"first": "2026-03-10", "last": "2026-03-12", "why": "leave"}]
    found = ops("oncall", "score", "--json", overlay={"owners.yaml": owners})
    assert found.exit_code == 1
    [gap] = [item for item in json.loads(found.output)["findings"] if item["kind"] == "gap"]
    assert "2026-03-10 to 2026-03-12" in gap["what"] and "data-manager would be called" in gap["what"]
    assert gap["fix"].startswith("ops oncall override engineer-")
    assert ops("oncall", "score", overlay={"owners.yaml": _shipped("owners.yaml")}).exit_code == 0


def test_holidays_are_judged_by_calendar_year_and_not_by_the_weeks_ahead(ops):
    def scored(*words: str) -> dict:
        return json.loads(ops("oncall", "score", *words, "--json", at=at).output)

    at = "2026-11-26T12:05:00+00:00"
    before = scored()
    assert before["findings"] == [] and list(before["holidays_by_year"]) == ["2026", "2027"]
    ahead = before["holidays"].values()
    assert max(ahead) - min(ahead) == 2, "over two years the weeks ahead may differ by more than one"
    for days in before["holidays_by_year"].values():
        assert max(days.values()) - min(days.values()) <= 1
    said = ops("oncall", "score", at=at).output
    assert "in 2026  in 2027" in said and "of a calendar year" in said
    ops("oncall", "swap", "2026-12-21", "2026-12-28", "--by", "engineer-c", at=at)
    assert ops("oncall", "swap", "--accept", "1", "--by", "engineer-d", at=at).exit_code == 0
    [finding] = scored()["findings"]
    assert finding["what"] == "in 2026, engineer-d has 4 holidays and engineer-b 2"
    assert "balance" not in finding["fix"], "it is on already"
    assert scored("--weeks", "4")["holidays_by_year"].keys() == {"2026"}


def test_the_shipped_owners_and_raci_have_no_mistake_and_a_broken_one_is_named(ops):
    assert "mistake" not in ops("owners", "lint").output
    assert ops("raci", "lint").exit_code == 0
    owners = _shipped("owners.yaml")
    activity = "Coordinate releases and deployments"
    owners["raci"]["activities"][activity] = {"tech-ba": "A", "dba": "A"}
    del owners["people"]["dba"]["phone"]
    said = ops("raci", "lint", overlay={"owners.yaml": owners})
    assert said.exit_code == 1 and "all accountable" in said.output and "nobody is responsible" in said.output
    assert "reached by phone, but role:dba has none" in ops("owners", "lint", overlay={"owners.yaml": owners}).output


def test_people_of_ones_own_leave_the_shipped_rota_out_and_the_lint_says_so(ops):
    text = yaml.safe_dump(_shipped("owners.yaml"))
    for letter in "abcd":
        text = text.replace(f"engineer-{letter}", f"own-{letter}")
    said = ops("owners", "lint", overlay={"owners.yaml": yaml.safe_load(text)})
    assert "there is no schedule; a pipeline's primary owner stands in" in said.output, said.output
    told = json.loads(ops("escalation", "simulate", "investor_pipeline", "--json", overlay={}).output)
    assert told["name"] == "clock"


def test_a_simulation_names_everybody_and_tells_nobody(ops):
    told = json.loads(ops("escalation", "simulate", "profit_aggregate_investors", "--json").output)
    assert [step["who"] for step in told["steps"]] == [["engineer-a"], ["engineer-a"], ["data-manager"]]
    roles = ops(
        "escalation", "simulate", "marketing_pipeline", "--class", "schema_mismatch", "--severity", "high", "--json"
    )
    assert json.loads(roles.output)["steps"][0]["who"] == ["tech-ba", "etl-developer", "data-architect"]
    quiet = json.loads(ops("escalation", "simulate", "insurance_pipeline", "--severity", "high", "--json").output)
    assert quiet["steps"] == [] and "goes to its owners only" in quiet["why_not"]
    assert ops("escalation", "simulate", "nothing").exit_code == 2
