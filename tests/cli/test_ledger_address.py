"""If OPS_LEDGER_URL is not the address of a ledger, every command says so. No command treats it as a ledger without
alerts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

WRONG = [
    "x",
    "://",
    "\udcff",
    "http://ada:hush@host/b",
    "mysql://ada:hush@host/b",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:////tmp/x.db?mode=memory",
    "postgresql+nope://ada:hush@host/x",
    "postgresql://ada:hush@host:port/x",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("address") / "home"
    home.mkdir()
    with_a_snapshot_and_an_alert(Settings(home=home, as_of=NOW))
    return home


def ops(home: Path, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home), "--as-of", NOW.isoformat(), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output and "fault of the program" not in result.output, result.output
    assert "hush" not in result.output, "an address may hold a password"
    return result


@pytest.mark.parametrize("url", WRONG)
@pytest.mark.parametrize("words", [["status"], ["alerts", "list"], ["cycle"]], ids=" ".join)
def test_it_is_told_and_nothing_looks_well(
    url: str, words: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_LEDGER_URL", url)
    ended = ops(home, *words)
    assert ended.exit_code == 1
    said = " ".join(ended.output.split())
    assert "OPS_LEDGER_URL is not the address of a ledger" in said or "cannot be used" in said
    assert "No open alert" not in said


@pytest.mark.parametrize("place", [os.devnull, "/"])
def test_a_place_that_is_no_file_is_not_a_home_before_its_first_run(
    place: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_LEDGER_URL", f"sqlite:///{place}")
    assert ops(home, "status").exit_code == 1
