"""A ledger whose file is damaged inside is reported as damaged, whatever error its strange values cause."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from ops_project.cli import cli
from ops_project.console.app import create_app
from ops_project.model.alerting.signal import Signal
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger.damage import damage
from ops_project.operations.ledger.unusable import LedgerUnusable
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, bytes]:
    settings = Settings(home=tmp_path_factory.mktemp("damage"), as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    open_ledger(settings).close()
    return settings, file_of(settings).read_bytes()


def file_of(settings: Settings) -> Path:
    return Path(settings.ledger_url.removeprefix("sqlite:///"))


def noisy(data: bytes, seed: int) -> bytes:
    """The data with about one byte in five hundred overwritten. The header stays as it was."""
    chance, result = random.Random(seed), bytearray(data)
    for _ in range(len(data) // 500):
        result[chance.randrange(100, len(data))] = chance.randrange(256)
    return bytes(result)


def put(settings: Settings, data: bytes) -> None:
    file = file_of(settings)
    file.unlink()  # another file: what is open is not written to
    file.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def test_a_whole_ledger_and_one_on_a_server_are_not_called_damaged(whole: tuple[Settings, bytes]) -> None:
    settings, data = whole
    put(settings, data)
    assert damage(settings.ledger_url) is None
    assert damage("postgresql://nobody@127.0.0.1:1/none") is None
    assert damage(f"sqlite:///{settings.home}/none.db") is None


@pytest.mark.parametrize("seed", range(6))
def test_commands_and_pages_name_the_damage(whole: tuple[Settings, bytes], seed: int) -> None:
    settings, data = whole
    put(settings, noisy(data, seed))
    found = damage(settings.ledger_url)
    assert found is not None and str(file_of(settings)) in str(found)
    for words in ("alerts list", "incidents list", "sla", "silence list"):
        ended = CliRunner().invoke(cli, ["--home", str(settings.home), *words.split()])
        assert "fault of the program" not in ended.output and "Traceback" not in ended.output
        assert ended.exit_code == 0 or f"The ledger {file_of(settings)} cannot be used" in ended.output, ended.output
    with TestClient(create_app(settings), base_url="http://localhost", client=("127.0.0.1", 1)) as visitor:
        for page in ("/", "/alerts", "/incidents", "/boards/operational", "/oncall"):
            answer = visitor.get(page)  # a trace would be raised here
            assert answer.status_code == 200 or f"The ledger {file_of(settings)}" in answer.text, page


def test_a_damaged_page_that_is_met_in_the_middle_of_the_rows_is_told_as_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    stored = [Signal("k", "firing", NOW, NOW, occurrence=str(n), asset="a", message="x" * 200) for n in range(600)]
    with Ledger.open(url) as ledger:
        ledger.append(stored, now=NOW)
    file, page = tmp_path / "ledger.db", 8192
    data = bytearray(file.read_bytes())
    data[-3 * page : -2 * page] = b"\xa5" * page
    file.write_bytes(data)
    with Ledger.open(url) as ledger, pytest.raises(LedgerUnusable, match="malformed"):
        ledger.signals_after(0, 5_000)
