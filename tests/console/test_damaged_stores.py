"""The console over stores that were damaged: every page answers with a message, and a state that cannot be read is
never shown as well.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from ops_project.cli import cli
from ops_project.console.app import create_app
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.runs import open_instance
from ops_project.model.alerting.signal import OK, Signal
from ops_project.operations.ledger import Ledger
from ops_project.process import emptied as emptied_files
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

PAGES = ("/", "/alerts", "/incidents", "/boards/operational", "/boards/quality", "/feeds", "/assets", "/recovery")
PLACES = {
    "ledger": "ledger/ledger.db",
    "runs": "dagster/history/runs.db",
    "index of runs": "dagster/history/runs/index.db",
    "schedules": "dagster/schedules/schedules.db",
    "snapshot": "snapshots/*/warehouse.duckdb",
    "manifest": "snapshots/*/manifest.json",
    "warehouse": "warehouse/warehouse.duckdb",
}


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def noisy(file: Path) -> None:
    chance, data = random.Random(7), bytearray(file.read_bytes())
    for _ in range(max(1, len(data) // 300)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    file.write_bytes(data)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def folder(file: Path) -> None:
    """Replace the file by a folder, which no user can read as a file, not even root."""
    file.unlink()
    file.mkdir()


@pytest.fixture(autouse=True)
def _nobody_makes_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the process that might be making the file that is empty."""
    monkeypatch.setattr(emptied_files, "BEING_MADE_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole") / "home"
    settings = Settings(home=home, as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([Signal("run.failure", OK, NOW, NOW, "1", 0.0, pipeline="master_pipeline")])
    dagster_home.ensure(settings)
    looked = CliRunner().invoke(cli, ["--home", str(home), "--as-of", NOW.isoformat(), "cycle"])
    assert looked.exit_code == 0, looked.output
    with settings.exported(), open_instance(settings):
        pass
    return home


def home_of(whole: Path, tmp_path: Path) -> Settings:
    shutil.copytree(whole, tmp_path / "home")
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("damage", [cut_off, noisy, emptied, folder])
def test_every_page_answers_and_nothing_unknown_is_well(
    place: str, damage: Callable[[Path], None], whole: Path, tmp_path: Path
) -> None:
    settings = home_of(whole, tmp_path)
    [file] = settings.home.glob(PLACES[place])
    damage(file)
    with TestClient(create_app(settings), base_url="http://localhost", client=("127.0.0.1", 1)) as visitor:
        for page in PAGES:
            answer = visitor.get(page)  # an error that nobody caught is raised here
            assert answer.status_code == 200 or (place == "ledger" and answer.status_code == 503), (page, answer.text)
            assert answer.status_code == 200 or str(file) in answer.text
        first = visitor.get("/")
    if place in ("runs", "index of runs", "schedules", "snapshot"):
        assert "0 of 5 domains are well" in first.text
        assert "cannot be read" in first.text


def test_a_domain_is_unknown_and_not_well_where_a_store_cannot_be_read(whole: Path, tmp_path: Path) -> None:
    """The same home, first whole, and then without the stores that its figures come from."""
    settings = home_of(whole, tmp_path)
    with TestClient(create_app(settings), base_url="http://localhost", client=("127.0.0.1", 1)) as visitor:
        assert "cannot be read" not in visitor.get("/").text
        emptied(next(settings.home.glob(PLACES["snapshot"])))
    with TestClient(create_app(settings), base_url="http://localhost", client=("127.0.0.1", 1)) as visitor:
        assert "The newest copy of the warehouse cannot be read" in visitor.get("/").text
