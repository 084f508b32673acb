"""Which commands act, and who may run them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.cli.reference import walk
from ops_project.cli.roles import ACTS
from ops_project.model.roles import Roles
from ops_project.operations.ledger import open_ledger
from ops_project.settings import CONFIG_DIR, Settings

# These commands change nothing that others see. They read, write to a place that their user names, or serve.
READS = {
    "ui",
    "status",
    "feed check",
    "feed init",
    "feed list",
    "sql",
    "diagnose",
    "lineage",
    "reconcile",
    "metadata check",
    "metadata show",
    "queries",
    "watch",
    "route explain",
    "route export",
    "rules lint",
    "rules list",
    "rules replay",
    "silence list",
    "model list",
    "model show",
    "alerts list",
    "alerts outbox",
    "alerts precision",
    "alerts show",
    "sla",
    "incidents audit",
    "incidents list",
    "incidents show",
    "incidents times",
    "runbook list",
    "runbook show",
    "serve",
    "checklist list",
    "report",
    "backup list",
    "oncall calendar",
    "oncall score",
    "oncall who",
    "owners lint",
    "owners list",
    "raci lint",
    "raci show",
    "escalation simulate",
    "config diff",
    "config show",
    "reference",
}


def test_every_command_acts_or_reads() -> None:
    """A new command is put on one of the two lists, so that no command acts without a check of the user's role."""
    every = {path.removeprefix("ops ") for path, command in walk(cli, "ops") if not isinstance(command, click.Group)}
    assert every - READS - ACTS == set()
    assert ACTS - every == set()


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    text = (CONFIG_DIR / "roles.yaml").read_text(encoding="utf-8")
    people = "people: {ann: viewer, bob: l2, eve: owner}\n"
    (folder / "roles.yaml").write_text(text.replace("people: {}\n", people), encoding="utf-8")
    return folder


def ops(overlay: Path, user: str, *words: str) -> Result:
    home = overlay.parent / "home"
    return CliRunner(env={"OPS_USER": user}).invoke(cli, ["--home", str(home), "--config", str(overlay), *words])


@pytest.mark.parametrize(
    ("user", "words", "allowed"),
    [
        ("ann", ("silence", "expire", "1"), False),
        ("bob", ("silence", "expire", "1"), True),
        ("bob", ("model", "promote", "churn", "1"), False),
        ("eve", ("model", "promote", "churn", "1"), True),
        ("stranger", ("silence", "expire", "1"), True),
        ("ann", ("silence", "list"), True),
    ],
)
def test_a_role_allows_what_roles_yaml_says(overlay: Path, user: str, words: tuple[str, ...], allowed: bool) -> None:
    open_ledger(Settings(home=overlay.parent / "home"))
    done = ops(overlay, user, *words)
    assert (f"{user} has the role" not in done.output) == allowed, done.output
    refused = [
        row for row in open_ledger(Settings(home=overlay.parent / "home")).audit_log(10) if row["outcome"] == "refused"
    ]
    assert [(row["who"], row["action"]) for row in refused if row["subject"] == "command"] == (
        [] if allowed else [(user, " ".join(words[:2]))]
    )


def test_each_permission_of_a_shipped_role_is_asked_for() -> None:
    """If no role is needed for a command, a permission for this command does nothing."""
    shipped = Roles.model_validate(yaml.safe_load((CONFIG_DIR / "roles.yaml").read_text(encoding="utf-8")))
    given = {word for role in shipped.roles.values() for word in role.may}
    assert [word for word in sorted(given) if not any(fnmatchcase(command, word) for command in ACTS)] == []
