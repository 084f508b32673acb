"""Whom a ladder calls if nobody takes turns: each step calls a person who was not called before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops_project.model.oncall.escalation import EscalationFile
from ops_project.model.owner import Owners
from ops_project.operations.oncall.simulate import simulate
from ops_project.operations.oncall.targets import About, Surroundings

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
STEPS = [
    {"level": "owner", "after": "0s", "to": ["on-call"]},
    {"level": "backup", "after": "30m", "to": ["on-call", "backup"]},
    {"level": "manager", "after": "1h", "to": ["on-call", "manager"]},
]


def told(members, steps=STEPS, manager="mona"):
    """(minutes, who, note) of each step."""
    names = {*members, "mona"}
    owners = Owners.model_validate(
        {
            "people": {
                name: {"name": name, "email": f"{name}@shop.example", "manager": manager if name != "mona" else None}
                for name in names
            },
            "teams": {"intake": {"name": "Intake", "email": "intake@shop.example", "members": members}},
        }
    )
    file = EscalationFile.model_validate(
        {"ladders": {"owners": {"title": "by owner", "steps": steps}}, "use": [{"ladder": "owners"}]}
    )
    found = simulate(
        file, Surroundings(owners), about=About("nightly", "team:intake"), domain="", severity="critical", now=NOW
    )
    return [((step.at - NOW) // timedelta(minutes=1), step.who, step.note) for step in found.steps]


def test_the_backup_is_another_member_of_the_team():
    assert told(["ida", "rob"]) == [
        (0, ("ida",), ""),
        (30, ("ida", "rob"), ""),
        (60, ("ida", "mona"), ""),
    ]


def test_a_second_backup_is_a_third_member():
    again = [*STEPS[:2], {"level": "third", "after": "45m", "to": ["backup"]}]
    assert [who for _, who, _ in told(["ida", "rob", "kim"], again)] == [("ida",), ("ida", "rob"), ("kim",)]


def test_if_the_team_has_nobody_else_the_next_level_is_called_instead():
    [_, backup, manager] = told(["ida"])
    assert backup[1:] == (
        (),
        "skipped at once: ida was called already; backup stands for nobody here: nobody takes turns, and team:intake"
        " has nobody else to call",
    )
    assert manager[:2] == (30, ("ida", "mona"))


def test_if_no_later_level_has_anybody_else_the_owner_is_told_again_and_the_step_says_so():
    assert told(["ida"], manager=None) == [
        (0, ("ida",), ""),
        (30, ("ida",), "(ida was called already.)"),
        (60, ("ida",), "(ida was called already.)"),
    ]
