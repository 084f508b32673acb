"""If somebody has emptied a file of the ledger or of Dagster's storage, every command says so. No command silently
takes it for a new file.
"""

from __future__ import annotations

import ast
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ops_project
from ops_project.cli import cli
from ops_project.cli.home import Use, use_of
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.storage_damage import FILES
from ops_project.operations.ledger.of_home import LedgerEmptied, LedgerGone
from ops_project.process import emptied as emptied_files
from ops_project.settings import Settings
from tests.cli.test_every_command import LEAVES, filled
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


def words_of(ended: Result) -> str:
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    assert "Traceback" not in ended.output
    return " ".join(ended.output.split())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "home").mkdir()
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that has been built, and whose ledger was emptied. No command may begin a new ledger in this home."""
    home = tmp_path_factory.mktemp("emptied") / "home"
    home.mkdir()
    settings = Settings(home=home, as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    emptied(settings, LEDGER)
    return settings


@pytest.fixture
def nobody_makes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command waits for another process to write the file. That it does so otherwise is a test of its own."""
    monkeypatch.setattr(emptied_files, "BEING_MADE_SECONDS", 0.0)


# Options without which the command would go on for ever.
ENDS = {"watch": ["--looks", "1"], "ui": ["--port", "PORT"], "serve": ["--port", "PORT"]}
ASKED = [words for words in LEAVES if use_of(tuple(words)) is not Use.NONE]


def told_if_met(
    words: list[str],
    settings: Settings,
    occupied: str,
    lost: type[LedgerEmptied | LedgerGone],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Run a command. If it meets the lost ledger, it says so and ends with a code that is not 0."""
    met: list[Path] = []
    init = lost.__init__

    def noted(error: LedgerEmptied | LedgerGone, file: Path) -> None:
        met.append(file)
        init(error, file)

    monkeypatch.setattr(lost, "__init__", noted)
    line = [word.replace("PORT", occupied) for word in (*filled(words, settings.home), *ENDS.get(" ".join(words), []))]
    ended = ops(settings, *line)
    said = words_of(ended)
    if met:
        assert told in said
        assert ended.exit_code != 0 or words == ["watch"], "a watcher goes on, and says what it cannot do"


@pytest.mark.usefixtures("nobody_makes_it")
@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_no_command_begins_a_new_ledger_in_an_emptied_file(
    words: list[str], built: Settings, occupied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_if_met(words, built, occupied, LedgerEmptied, "is an empty file", monkeypatch)
    assert not (built.home / LEDGER).stat().st_size


def test_the_ledger_of_a_home_is_opened_in_one_place() -> None:
    """Code that opened the ledger anywhere else would begin a new ledger in a file that was emptied."""
    package = Path(ops_project.__file__).parent
    found = [
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if "Ledger" in (text := file.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr == "open"
        and isinstance(node.value, ast.Name)
        and node.value.id == "Ledger"
    ]
    assert set(found) == {"operations/ledger/of_home.py"}


@pytest.mark.usefixtures("nobody_makes_it")
@pytest.mark.parametrize("place", PLACES)
def test_a_home_that_has_had_a_run_says_what_is_lost(settings: Settings, place: str) -> None:
    with_a_snapshot_and_an_alert(settings)
    file = emptied(settings, place)
    for words, code in (("status", 1), ("alerts list", 1 if place == LEDGER else 0)):
        ended = ops(settings, *words.split())
        said = words_of(ended)
        assert f"{file} is an empty file" in said and "`ops backup list`" in said, ended.output
        assert ended.exit_code == code, ended.output
        assert file.stat().st_size == 0, "nothing new was begun in it before it was told"


@pytest.mark.usefixtures("nobody_makes_it")
def test_a_run_builds_the_data_and_says_that_alerts_were_not_recorded(settings: Settings) -> None:
    with_a_snapshot_and_an_alert(settings)
    file = emptied(settings, LEDGER)
    ended = ops(settings, "run", "--domain", "ecommerce")
    assert ended.exit_code == 3 and f"{file} is an empty file" in words_of(ended), ended.output
    assert not file.stat().st_size
    file.unlink()
    assert ops(settings, "cycle").exit_code == 0, "a new one, as the message says"
    assert not (settings.home / "state" / "spare-ledger.db").exists(), "whoever was told hears that it is over"


@pytest.mark.parametrize("place", PLACES)
def test_before_the_first_run_an_empty_file_is_one_that_was_only_begun(settings: Settings, place: str) -> None:
    emptied(settings, place)
    for words in ("status", "alerts list"):
        ended = ops(settings, *words.split())
        assert ended.exit_code == 0 and "is an empty file" not in ended.output, ended.output


def test_a_file_that_another_process_is_making_is_waited_for(settings: Settings) -> None:
    with_a_snapshot_and_an_alert(settings)
    kept = (settings.home / LEDGER).read_bytes()
    file = emptied(settings, LEDGER)
    maker = threading.Timer(0.1, file.write_bytes, [kept])
    maker.start()
    assert not emptied_files.is_emptied(settings, file)
    maker.join()


@pytest.mark.usefixtures("nobody_makes_it")
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


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that has been built, and whose ledger somebody has removed."""
    home = tmp_path_factory.mktemp("gone") / "home"
    home.mkdir()
    settings = Settings(home=home, as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    shutil.rmtree(settings.home / "ledger")
    return settings


# These commands run the alert cycle in a shell, and a person reads that a new ledger begins.
BEGIN = {"run", "cycle", "rerun", "backfill", "replay", "release"}


@pytest.mark.parametrize("words", [words for words in ASKED if words[0] not in BEGIN], ids=" ".join)
def test_no_command_that_reads_begins_a_ledger_where_one_is_gone(
    words: list[str], gone: Settings, occupied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_if_met(words, gone, occupied, LedgerGone, "is not there, although tables have been built", monkeypatch)
    assert not (gone.home / LEDGER).exists()


def test_a_ledger_that_is_gone_is_not_the_same_as_no_open_alert(gone: Settings) -> None:
    for words in ("status", "alerts list"):
        ended = ops(gone, *words.split())
        assert ended.exit_code == 1 and "are unknown" in words_of(ended) and "OPS_LEDGER_URL" in words_of(ended)


def test_a_cycle_begins_a_new_ledger_and_says_so(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with_a_snapshot_and_an_alert(settings)
    shutil.rmtree(settings.home / "ledger")
    assert ops(settings, "cycle").exit_code == 0
    assert "A new one begins now." in caplog.text
    assert ops(settings, "alerts", "list").exit_code == 0
