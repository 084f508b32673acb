"""SIGKILL at random moments under load, with the receiver down in between: nothing is lost, and what may have been sent
twice is counted."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.settings import PROJECT_ROOT, Settings
from tests.operations.channels.http import http_server

ROUTES = """
route: {receiver: hook, group_by: ["..."], group_wait: 0s, group_interval: 1s, repeat_interval: 24h}
"""
RECEIVERS = """
receivers:
  hook: {title: everything, channels: [{type: webhook, url_env: OPS_TEST_HOOK, rate_limit: 1000000, max_attempts: 100000}]}
"""
LOAD = 25
"""Alerts for each round."""


def _signals(round_number: int) -> list[Signal]:
    now = datetime.now(UTC)
    return [
        Signal(
            "asset.failure",
            FIRING,
            now,
            now,
            "1",
            1.0,
            asset=f"gold/t{round_number}_{n}",
            owners=("team:ecommerce-data",),
        )
        for n in range(LOAD)
    ]


class Workers:
    """Processes that run the cycle in a loop, forked one after the other from one that has imported everything."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.parent = subprocess.Popen(
            [sys.executable, "-m", "tests.operations.alerting.chaos_worker", "fork"],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self) -> int:
        """The process id of a worker that is ready."""
        assert self.parent.stdin is not None and self.parent.stdout is not None
        self.parent.stdin.write("another\n")
        self.parent.stdin.flush()
        line = self.parent.stdout.readline()
        assert line.startswith("ready "), line + (self.parent.kill() or self.parent.stdout.read())
        return int(line.split()[1])

    def kill(self, pid: int) -> None:
        """Kill with SIGKILL. Returns when the process is gone."""
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(pid, 0)
                time.sleep(0.002)

    def end(self) -> None:
        self.parent.communicate(timeout=60)


def kill_again_and_again(tmp_path: Path, monkeypatch, kills: int, seed: int, url: str = "") -> None:
    """Kill workers again and again. `url`: the address of the ledger; if it is empty, the ledger is in the home."""
    if url:
        monkeypatch.setenv("OPS_LEDGER_URL", url)
    dice = random.Random(seed)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "routes.yaml").write_text(ROUTES)
    (overlay / "receivers.yaml").write_text(RECEIVERS)
    settings = Settings.load(home=tmp_path / "home", overlay=overlay)
    with http_server() as endpoint, Ledger.open(settings.ledger_url) as ledger:
        monkeypatch.setenv("OPS_TEST_HOOK", endpoint.url)
        environment = {**os.environ, **settings.environ(), "PYTHONPATH": str(PROJECT_ROOT)}
        workers = Workers(environment)
        for round_number in range(kills):
            worker = workers.start()
            endpoint.answers = [(503, b"down", {})] * 3 if round_number % 3 == 1 else []
            received = len(endpoint.accepted)
            ledger.append(_signals(round_number))
            if round_number % 2:
                # The kill comes in the middle of the delivery. If the service is down, it comes when the time has passed.
                until = time.monotonic() + 0.35
                while len(endpoint.accepted) == received and time.monotonic() < until:
                    time.sleep(0.001)
                time.sleep(dice.uniform(0.0, 0.02))
            else:
                time.sleep(dice.uniform(0.0, 0.35))
            workers.kill(worker)
        workers.end()
        by_the_killed = len(endpoint.accepted)
        loaded = catalog.load(settings)
        # Hours later: everything that waits for its backoff is due. A cycle sends for 20 seconds at most.
        for n in range(1, 100):
            run_once(settings, loaded, datetime.now(UTC) + timedelta(hours=n), observers=())
            counts = ledger.outbox_counts()
            if not counts.get("pending") and not counts.get("sending"):
                break
    assert counts.get("pending", 0) == counts.get("sending", 0) == counts.get("dead", 0) == 0
    accepted = Counter(headers["Idempotency-Key"] for _, headers, _ in endpoint.accepted)
    told = {a["labels"]["asset"] for _, _, body in endpoint.accepted for a in body["alerts"]}
    assert told == {f"gold/t{r}_{n}" for r in range(kills) for n in range(LOAD)}, "a notification was lost"
    duplicates = sum(count - 1 for count in accepted.values())
    assert duplicates <= counts["possible_duplicates"] <= kills
    report = f"{kills} kills: {by_the_killed} of {kills * LOAD} delivered by the killed, "
    report += f"{counts['possible_duplicates']} counted as possible duplicates, {duplicates} duplicates"
    print(report)  # noqa: T201
    # If this fails, the kills came before or after the work, and the test has shown nothing.
    assert by_the_killed >= kills * LOAD / 4, report
    assert kills < 100 or counts["possible_duplicates"] >= kills / 20, report


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return "" if request.param == "sqlite" else request.getfixturevalue("server")


@pytest.mark.xdist_group("chaos")
def test_ten_kills_lose_nothing(tmp_path, monkeypatch):
    kill_again_and_again(tmp_path, monkeypatch, kills=10, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_kills_lose_nothing(tmp_path, monkeypatch, url):
    kill_again_and_again(tmp_path, monkeypatch, kills=200, seed=2, url=url)
