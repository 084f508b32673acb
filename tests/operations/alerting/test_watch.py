"""The daemon stops: the watcher says so, runs the cycle, and steps back when the heartbeat returns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.watch import Watch
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings)


def _daemon(place, at):
    # The clock stands still, so that the heartbeat is exactly `at`, however long the cycle takes.
    return run_once(*place, at, clock=lambda: at, daemon=True, observers=())


def test_a_fresh_heartbeat_is_left_alone(place):
    _daemon(place, NOW)
    watch = Watch(*place, NOW)
    assert watch.look(NOW + 59 * SECOND) is None
    assert open_ledger(place[0]).latest("orchestrator.down") == {}


def test_after_a_minute_of_silence_it_pages_and_tells_what_happened_meanwhile(place):
    _daemon(place, NOW)
    watch = Watch(*place, NOW)
    ledger = open_ledger(place[0])
    at = NOW + 61 * SECOND
    ledger.append(
        [
            Signal(
                "run.failure",
                FIRING,
                at,
                at,
                "r1",
                1.0,
                pipeline="master_pipeline",
                labels={"scheduled": "true"},
                owners=("team:ecommerce-data",),
            )
        ]
    )
    assert watch.look(at) is not None
    watch.look(at + 3 * SECOND)
    pages = [m for m in ledger.outbox_list("delivered", 50) if m["channel"] == "on-call/0-file"]
    rules = {a.rule for a in ledger.alerts("open")}
    assert {"orchestrator_down", "job_failure"} <= rules
    assert len(pages) == 2
    down = next(a for a in ledger.alerts("open") if a.rule == "orchestrator_down")
    assert "no cycle has ended since 2026-03-04 12:00:00" in down.message and down.owners == ("team:infrastructure",)


def test_when_the_daemon_is_back_the_alert_resolves_and_the_watcher_is_silent(place):
    _daemon(place, NOW)
    watch = Watch(*place, NOW)
    watch.look(NOW + 61 * SECOND)
    _daemon(place, NOW + 70 * SECOND)
    assert watch.look(NOW + 71 * SECOND) is None
    _daemon(place, NOW + 75 * SECOND)
    assert [a.rule for a in open_ledger(place[0]).alerts("open")] == []


def test_a_daemon_that_was_never_there_gets_its_minute_too(place):
    watch = Watch(*place, NOW)
    assert watch.look(NOW + 60 * SECOND) is None
    assert watch.look(NOW + 61 * SECOND) is not None


def test_two_processes_never_run_the_cycle_at_once(place):
    ledger = open_ledger(place[0])
    ledger.acquire("cycle", "another-machine:1:1", NOW, timedelta(seconds=60))
    assert run_once(*place, NOW + SECOND, observers=()).skipped
    assert not run_once(*place, NOW + 61 * SECOND, observers=()).skipped
