"""The process that delivers is killed while a service reads its message: nothing is lost, and only that message comes
twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests import dagster_dev
from tests.operations.alerting.test_chaos import RECEIVERS, ROUTES
from tests.operations.channels.http import Endpoint, http_server

TABLES = ("gold/one", "gold/two", "gold/three")
LONGEST = 120.0
TAKEN = (200, b"ok", {})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "routes.yaml").write_text(ROUTES)
    (overlay / "receivers.yaml").write_text(RECEIVERS)
    return Settings.load(home=tmp_path / "home", overlay=overlay)


def failures() -> list[Signal]:
    now = datetime.now(UTC)
    return [
        Signal("asset.failure", FIRING, now, now, "1", 1.0, asset=asset, owners=("team:ecommerce-data",))
        for asset in TABLES
    ]


def told(endpoint: Endpoint) -> list[str]:
    """The tables named in the requests to the service, in the order of the requests."""
    return [alert["labels"]["asset"] for _, _, body in endpoint.accepted for alert in body["alerts"]]


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs the cycle in a loop."""
    command = [sys.executable, "-m", "tests.operations.alerting.chaos_worker"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=dagster_dev.environment(settings), stdout=quiet, stderr=quiet
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def killed_at_the_second(
    endpoint: Endpoint,
    ledger: Ledger,
    started: AbstractContextManager[subprocess.Popen[bytes]],
    kill: Callable[[int], None],
) -> None:
    """Let a process deliver until the service has read its second message, and kill it before it is answered."""
    pid: list[int] = []

    def in_the_middle(_body: Any) -> bytes:
        kill(pid[0])
        return b"ok"

    endpoint.answers = [TAKEN, (200, in_the_middle, {})]
    ledger.append(failures())
    with started as process:
        pid.append(process.pid)
        assert process.wait(LONGEST) == -signal.SIGKILL


def holds(settings: Settings, endpoint: Endpoint, ledger: Ledger) -> None:
    """The next process sends the message of the killed one again, with its key, and then the remaining messages."""
    before = told(endpoint)
    assert len(before) == 2
    run_once(settings, catalog.load(settings), datetime.now(UTC) + timedelta(minutes=5), observers=())
    assert Counter(told(endpoint)) == {**dict.fromkeys(TABLES, 1), before[1]: 2}
    keys = [headers["Idempotency-Key"] for _, headers, _ in endpoint.accepted]
    assert len(set(keys)) == len(TABLES), "the receiver can tell that it is the same message"
    counts = ledger.outbox_counts()
    assert counts["possible_duplicates"] == 1
    assert not counts.get("pending") and not counts.get("sending") and not counts.get("dead")


@pytest.mark.xdist_group("chaos")
def test_a_process_killed_in_mid_delivery_loses_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server() as endpoint, Ledger.open(settings.ledger_url) as ledger:
        monkeypatch.setenv("OPS_TEST_HOOK", endpoint.url)
        killed_at_the_second(endpoint, ledger, worker(settings), lambda pid: os.kill(pid, signal.SIGKILL))
        holds(settings, endpoint, ledger)


@pytest.mark.soak
@pytest.mark.xdist_group("daemon")
def test_a_real_daemon_killed_in_mid_delivery_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server() as endpoint, Ledger.open(settings.ledger_url) as ledger:
        monkeypatch.setenv("OPS_TEST_HOOK", endpoint.url)
        # Its children are killed too, as if the machine had failed.
        daemon = dagster_dev.running(settings)
        killed_at_the_second(endpoint, ledger, daemon, lambda pid: os.killpg(pid, signal.SIGKILL))
        holds(settings, endpoint, ledger)
