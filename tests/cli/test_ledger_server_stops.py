"""The PostgreSQL of the ledger stops while people work: each of them gets a message, nothing is lost, and the events of
the meantime are recorded when the server is back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.testclient import TestClient

from ops_project.cli import cli
from ops_project.console.app import create_app
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests import postgres
from tests.cli.test_every_command import LEAVES, filled
from tests.empty_home import NOW, with_a_snapshot_and_an_alert

# These commands start or look at other things than the ledger, and have tests of their own.
LONG = (
    "run",
    "rerun",
    "backfill",
    "reference",
    "drill recovery",
    "ui",
    "metadata check",
    "metadata generate",
    "rules lint",
)
PAGES = ("/", "/incidents", "/alerts", "/silences", "/routes", "/feeds", "/assets", "/oncall", "/recovery")
BOARDS = ("/boards/operational", "/figures/operational/open_alerts", "/figures/operational/open_incidents")


@dataclass(frozen=True)
class Place:
    settings: Settings
    server: postgres.Server

    def ops(self, *words: str, at: timedelta = timedelta()) -> Result:
        moment = (NOW + at).isoformat()
        result = CliRunner().invoke(cli, ["--home", str(self.settings.home), "--as-of", moment, *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output and "fault of the program" not in result.output, result.output
        return result


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A home with an alert about which a message was sent, and an open console. Then the server stops."""
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    folder = tmp_path_factory.mktemp("stops")
    (folder / "server").mkdir()
    (folder / "home").mkdir()
    with postgres.server(folder / "server") as server:
        place = Place(Settings(home=folder / "home", as_of=NOW), server)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("OPS_LEDGER_URL", server.url)
            with_a_snapshot_and_an_alert(place.settings)
            assert place.ops("cycle").exit_code == 0
            assert "daily_revenue" in place.ops("alerts", "list").output
        server.stop()
        yield place


@pytest.fixture(autouse=True)
def _the_ledger_is_on_the_server(stopped: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_LEDGER_URL", stopped.server.url)


@pytest.mark.parametrize("words", [words for words in LEAVES if " ".join(words) not in LONG], ids=" ".join)
def test_every_command_says_so_and_ends(words: list[str], stopped: Place, occupied: str) -> None:
    more = {"watch": ["--looks", "1"], "serve": ["--port", occupied]}.get(" ".join(words), [])
    ended = stopped.ops(*filled(words, stopped.settings.home), *more)
    if "The ledger postgresql://" in ended.output:
        assert "See whether the server runs" in " ".join(ended.output.split())
        assert "If it is locked" not in ended.output, "what helps a file does not help a server"
        assert ended.exit_code != 0 or words == ["watch"]


def test_every_page_says_so_and_no_figure_is_green(stopped: Place) -> None:
    stopped.server.start()
    with TestClient(create_app(stopped.settings), base_url="http://localhost", client=("127.0.0.1", 1)) as visitor:
        assert visitor.get("/alerts").status_code == 200
        stopped.server.stop()
        for page in PAGES:
            answer = visitor.get(page)
            assert answer.status_code == 503 and "The ledger postgresql://" in answer.text, page
        for board in BOARDS:
            answer = visitor.get(board)
            assert answer.status_code == 200 and "unknown" in answer.text, board
        stopped.server.start()
        assert "daily_revenue" in visitor.get("/alerts").text
        stopped.server.stop()


def test_what_happened_meanwhile_is_told_when_it_is_back(stopped: Place) -> None:
    down = stopped.ops("cycle", at=timedelta(minutes=10))
    assert down.exit_code == 1 and "alerts were not recorded" in down.stderr
    assert any("ledger" in line.lower() for line in _told(stopped.settings.home)), "somebody was paged without it"
    stopped.server.start()
    open_ledger(stopped.settings).append(
        [Signal("asset.failure", FIRING, NOW, NOW, "2", 1.0, asset="gold/customer_metrics")]
    )
    assert stopped.ops("cycle", at=timedelta(minutes=20)).exit_code == 0
    shown = stopped.ops("alerts", "list").output
    assert "daily_revenue" in shown and "customer_metrics" in shown
    assert any("resolved" in line for line in _told(stopped.settings.home))
    assert not list(stopped.settings.home.glob("state/spare-ledger*"))


def _told(home: Path) -> list[str]:
    return [
        json.dumps(json.loads(line)) for file in home.rglob("alerts.jsonl") for line in file.read_text().splitlines()
    ]
