"""A ledger that can be read but not written is reported. Otherwise nobody would notice that alerts are not recorded."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_project.cli import cli
from ops_project.operations.ledger import Ledger, refuses_writing
from ops_project.operations.ledger import locked as module
from ops_project.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    url = Settings(home=tmp_path).ledger_url
    Ledger.open(url).close()
    return Path(url.removeprefix("sqlite:///"))


def test_status_tells_it_until_the_other_program_lets_go(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.refuses_writing, "__defaults__", (0.1,))
    words = ["--home", str(tmp_path), "status", "--json"]
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    held = CliRunner().invoke(cli, words)
    said = json.loads(held.stdout)["ledger"]
    assert held.exit_code == 1
    assert said.startswith(f"The ledger {file} can be read but not written: database is locked") and "fuser" in said
    other.execute("ROLLBACK")
    other.close()
    assert refuses_writing(f"sqlite:///{file}") == ""


def test_what_is_not_there_or_in_another_database_is_not_tried(tmp_path: Path) -> None:
    assert refuses_writing(f"sqlite:///{tmp_path / 'none.db'}") == ""
    assert refuses_writing("postgresql://nobody@127.0.0.1:1/none") == ""
    assert list(tmp_path.iterdir()) == []
