"""The commands and the console on a home that watches another Dagster project."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.cli.home import OF_PIPELINES
from ops_project.console.health import State
from ops_project.console.navigation import sections
from ops_project.console.pages import home
from ops_project.console.site import Site
from tests.defs import bookshop
from tests.defs.watched_shop import Bookshop


def _ops(shop: Bookshop, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(shop.settings.home), *words])


def test_the_commands_and_the_console_speak_of_its_assets(shop: Bookshop, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command exports its settings for its children. The next test must not inherit them.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    shop.run()
    bookshop.BROKEN.add("titles")
    shop.run()
    shop.cycle()
    found = {item["domain"]: item for item in json.loads(_ops(shop, "status", "--json").stdout)["domains"]}
    assert {name: item["assets"] for name, item in found.items()} == {"intake": 2, "sales": 1, "outside": 1, "": 1}
    assert found["outside"]["never_built"] == 0
    assert "catalogue" not in _ops(shop, "owners", "lint").stdout
    assert (found["intake"]["failed"], found["intake"]["never_built"]) == (["titles"], 1)
    assert "titles" in _ops(shop, "status").stdout
    assert "titles was not built" in _ops(shop, "alerts", "list", "--domain", "intake").stdout
    assert "valid: intake, outside, sales" in _ops(shop, "alerts", "list", "--domain", "ecommerce").stderr
    assert "team:intake" in _ops(shop, "route", "explain", "--asset", "titles", "--domain", "intake").stdout

    assert "asset board: has no owner" in _ops(shop, "owners", "lint").stdout
    assert "owner team:sales: owners.yaml does not know it" in _ops(shop, "owners", "lint").stdout
    assert "Owners     team:sales: owners.yaml does not know it" in _ops(shop, "status").stdout
    told = json.loads(_ops(shop, "escalation", "simulate", "mart/daily/turnover", "--json").stdout)["steps"][0]
    assert told["who"] == ["team:sales"]
    assert "(team:sales: owners.yaml does not know it, so no mail and no page reaches it.)" in told["note"]
    assert "first owner of what failed" in _ops(shop, "oncall", "who").stderr
    assert _ops(shop, "incidents", "ack", "1", "--by", "ines@book.example").exit_code == 2
    assert _ops(shop, "incidents", "ack", "1", "--by", "ines@books.example").exit_code == 0

    site = Site(shop.settings, lambda: datetime.now(UTC))
    lines = {line.id: line for line in home.domain_lines(site, shop.ledger, State("well", "", None), site.clock())}
    assert {name: (line.title, line.state.state) for name, line in lines.items()} == {
        "intake": ("Intake", "wrong"),
        "sales": ("Sales", "well"),
    }
    assert lines["sales"].built is not None
    assert not {"/feeds", "/recovery", "/boards"} & {section.path for section in sections("/", watches=True)}


def test_a_command_of_our_pipelines_is_refused_and_changes_nothing(
    shop: Bookshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    before = sorted(shop.settings.home.rglob("*"))
    for name in sorted(OF_PIPELINES):
        done = _ops(shop, name)
        assert (done.exit_code, "watches the Dagster project of" in done.stderr) == (1, True), name
    assert sorted(shop.settings.home.rglob("*")) == before
