"""The process that delivers is killed while a service reads its message: nothing is lost, and only that one comes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_project import catalog
from ops_project.dagster_bridge.home import ensure
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests.operations.alerting.test_chaos import RECEIVERS, ROUTES
from tests.operations.alerting.test_daemon import SITE
from tests.operations.channels.http import Endpoint, http_server
from tests.operations.channels.smtp import free_port

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
    """The tables that the service was told of, in the order of its requests."""
    return [alert["labels"]["asset"] for _, _, body in endpoint.accepted for alert in body["alerts"]]


def killed_at_the_second(
    settings: Settings, endpoint: Endpoint, ledger: Ledger, command: list[str], kill: Callable[[int], None]
) -> None:
    """Run `command`, which delivers, until the service has read its second message and before it answers."""
    pid: list[int] = []

    def in_the_middle(_body: Any) -> bytes:
        kill(pid[0])
        return b"ok"

    endpoint.answers = [TAKEN, (200, in_the_middle, {})]
    ledger.append(failures())
    environment = {**os.environ, **settings.environ(), "PYTHONPATH": str(PROJECT_ROOT)}
    process = subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    pid.append(process.pid)
    try:
        assert process.wait(LONGEST) == -signal.SIGKILL
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def holds(settings: Settings, endpoint: Endpoint, ledger: Ledger) -> None:
    """What the next process does: the message of the killed one again, with its key, and what was still to come."""
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
    worker = [sys.executable, "-m", "tests.operations.alerting.chaos_worker"]
    with http_server() as endpoint, Ledger.open(settings.ledger_url) as ledger:
        monkeypatch.setenv("OPS_TEST_HOOK", endpoint.url)
        killed_at_the_second(settings, endpoint, ledger, worker, lambda pid: os.kill(pid, signal.SIGKILL))
        holds(settings, endpoint, ledger)


@pytest.mark.soak
@pytest.mark.xdist_group("daemon")
def test_a_real_daemon_killed_in_mid_delivery_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(settings)
    dagster = str(Path(sys.executable).parent / "dagster")
    command = [dagster, "dev", "-f", SITE, "-h", "127.0.0.1", "-p", str(free_port())]
    with http_server() as endpoint, Ledger.open(settings.ledger_url) as ledger:
        monkeypatch.setenv("OPS_TEST_HOOK", endpoint.url)
        # Its children too, as when the machine dies.
        killed_at_the_second(settings, endpoint, ledger, command, lambda pid: os.killpg(pid, signal.SIGKILL))
        holds(settings, endpoint, ledger)
