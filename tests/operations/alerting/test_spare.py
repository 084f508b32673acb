"""An unusable ledger is reported once, by the same channels. Its return is reported in the same way."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli
from ops_project.dagster_bridge import home as dagster_home
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.store import LedgerUnusable
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def damage(file: Path) -> None:
    file.write_bytes(b"this is not a database" * 100)


def make_folder(file: Path) -> None:
    file.mkdir()


def put_file_in_the_way(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_text("x")


def ops(home: Path, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--home", str(home), "--as-of", NOW.isoformat(), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def told(home: Path) -> list[str]:
    """Status and summary of each message of the file channel, which needs no ledger."""
    lines = [line for file in home.rglob("alerts.jsonl") for line in file.read_text().splitlines()]
    return [json.dumps(json.loads(line)) for line in lines if "ledger" in line.lower()]


@pytest.mark.parametrize("fault", [damage, make_folder, put_file_in_the_way])
def test_every_command_names_the_ledger_the_reason_and_the_next_step(fault, tmp_path: Path) -> None:
    file = Path(Settings(home=tmp_path).ledger_url.removeprefix("sqlite:///"))
    file.parent.mkdir(parents=True)
    fault(file)
    with pytest.raises(LedgerUnusable):
        Ledger.open(f"sqlite:///{file}")
    for words in (["alerts", "list"], ["silence", "list"], ["sla"], ["cycle"]):
        result = ops(tmp_path, *words)
        assert result.exit_code == 1, result.output
        assert f"The ledger {file} cannot be used: " in result.stderr
        assert "If it is locked" in result.stderr


def test_a_dead_ledger_is_told_once_and_so_is_its_return(tmp_path: Path) -> None:
    file = Path(Settings(home=tmp_path).ledger_url.removeprefix("sqlite:///"))
    file.parent.mkdir(parents=True)
    damage(file)
    first = ops(tmp_path, "cycle")
    assert "sent without the ledger" in first.stderr
    once = told(tmp_path)
    assert any("firing" in line for line in once)
    ops(tmp_path, "cycle")
    assert told(tmp_path) == once, "a night of runs is one alert"

    shown = ops(tmp_path, "status", "--json")
    assert shown.exit_code == 1
    assert str(file) in json.loads(shown.stdout)["ledger"]

    file.unlink()
    assert ops(tmp_path, "cycle").exit_code == 0
    assert any("resolved" in line for line in told(tmp_path)[len(once) :])
    assert not list(tmp_path.glob("state/spare-ledger*"))
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_dead_storage_of_dagster_is_not_taken_for_a_dead_ledger(tmp_path: Path) -> None:
    """Both storages fail with the same errors, but need different repairs."""
    settings = Settings(home=tmp_path)
    dagster_home.ensure(settings)
    (settings.dagster_home / "history").mkdir()
    damage(settings.dagster_home / "history" / "runs.db")
    said = f"Dagster's storage in {settings.dagster_home} could not be used: "
    cycle = ops(tmp_path, "cycle")
    assert cycle.exit_code == 1
    assert said in cycle.stderr and "ledger.db" not in cycle.stderr
    assert any("Dagster's storage" in line for line in told(tmp_path))

    shown = ops(tmp_path, "status", "--json")
    assert shown.exit_code == 1
    state = json.loads(shown.stdout)
    assert state["dagster"].startswith(said) and state["ledger"] is None
    assert {domain["last_run"]["state"] for domain in state["domains"]} == {"unknown"}
    assert "unknown" in ops(tmp_path, "status").stdout
