"""If somebody has emptied a file of the ledger or of Dagster's storage, this is reported. The file is not silently
taken for a new one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops_project.cli import cli, run
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.storage_errors import FILES
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

LEDGER = "ledger/ledger.db"
PLACES = [LEDGER, *(f"dagster/{name}" for name in FILES)]


def emptied(settings: Settings, place: str) -> Path:
    dagster_home.ensure(settings)
    file = settings.home / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return file


def ops(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", settings.now().isoformat(), *words])


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_execute", lambda *_: [])


@pytest.mark.parametrize("place", PLACES)
def test_a_home_that_has_had_a_run_says_what_is_lost(settings: Settings, begun: None, place: str) -> None:
    with_a_snapshot_and_an_alert(settings)
    file = emptied(settings, place)
    for words, code in ((("status",), 1), (("run",), 0)):
        ended = ops(settings, *words)
        said = " ".join(ended.output.split())
        assert f"{file} is an empty file" in said and "`ops backup list`" in said, ended.output
        assert ended.exit_code == code
    assert file.stat().st_size == 0, "nothing new was begun in it before it was told"


@pytest.mark.parametrize("place", PLACES)
def test_before_the_first_run_an_empty_file_is_one_that_was_only_begun(
    settings: Settings, begun: None, place: str
) -> None:
    emptied(settings, place)
    for words in ("status", "run"):
        ended = ops(settings, words)
        assert ended.exit_code == 0 and "is an empty file" not in ended.output, ended.output


@pytest.mark.parametrize("place", PLACES)
def test_a_log_beside_an_empty_file_is_proof_that_it_held_something(settings: Settings, place: str) -> None:
    file = settings.home / place
    file.parent.mkdir(parents=True, exist_ok=True)
    dagster_home.ensure(settings)
    with closing(sqlite3.connect(file)) as written:
        written.executescript("PRAGMA journal_mode = wal; CREATE TABLE rows AS SELECT 1 AS id")
        log = file.with_name(f"{file.name}-wal").read_bytes()
        assert log and file.stat().st_size
    file.write_bytes(b"")
    file.with_name(f"{file.name}-wal").write_bytes(log)
    ended = ops(settings, "status")
    assert ended.exit_code == 1 and f"{file} is an empty file" in " ".join(ended.output.split()), ended.output
    assert file.with_name(f"{file.name}-wal").read_bytes() == log
