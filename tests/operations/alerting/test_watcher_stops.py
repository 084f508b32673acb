"""The watcher reports that the orchestrator is down, and stops. The orchestrator itself ends the report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.operations.alerting import cycle
from ops_project.operations.alerting.cycle import DOWN, down_signal, run_once
from ops_project.operations.alerting.watch import Watch
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CYCLE = 5 * SECOND


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    return settings, catalog.load(settings)


def _daemon(place, at):
    return run_once(*place, at, clock=lambda: at, daemon=True, observers=())


def _another_process(monkeypatch, work: Callable[[], object]) -> None:
    """One process does not know what another process remembers of its cycles."""
    with monkeypatch.context() as patch:
        patch.setattr(cycle, "_beats", {})
        work()


def _open(place) -> list[str]:
    return [alert.rule for alert in open_ledger(place[0]).alerts("open")]


@pytest.mark.parametrize("ahead", [20, 300], ids=lambda ahead: f"{ahead} s")
def test_a_report_of_a_watcher_whose_clock_is_ahead_ends_though_the_orchestrator_made_no_pause(
    place, monkeypatch, ahead
):
    _daemon(place, NOW)
    reported = NOW + (61 + ahead) * SECOND
    _another_process(monkeypatch, lambda: Watch(*place, NOW).look(reported))
    assert _open(place) == ["orchestrator_down"]
    for number in range(1, 80):
        _daemon(place, NOW + number * CYCLE)
    assert _open(place) == []
    reports = [signal for _, signal in open_ledger(place[0]).signals_after(0, 1000) if signal.kind == DOWN]
    assert len(reports) <= 4, "the end is not reported in every cycle"


def test_a_heartbeat_that_could_not_be_stored_does_not_count_as_one(place, monkeypatch):
    _daemon(place, NOW)
    released = Ledger.release

    def fails(ledger, lease, now, noted=None):
        released(ledger, lease, now)
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "release", fails)
        for number in range(1, 14):
            with pytest.raises(OSError, match="No space left"):
                _daemon(place, NOW + number * CYCLE)
    _another_process(monkeypatch, lambda: Watch(*place, NOW).look(NOW + 66 * SECOND))
    assert _open(place) == ["orchestrator_down"]
    for number in (14, 15):
        _daemon(place, NOW + number * CYCLE)
    assert _open(place) == []


def test_a_report_that_is_read_between_two_cycles_in_time_ends(place):
    """For example, the watcher read an old heartbeat, and its report was stored late."""
    _daemon(place, NOW)
    at = NOW + 2 * SECOND
    open_ledger(place[0]).append([down_signal(True, at, "no cycle has ended")], now=at)
    _daemon(place, NOW + CYCLE)
    assert _open(place) == ["orchestrator_down"]
    _daemon(place, NOW + 2 * CYCLE)
    assert _open(place) == []
    states = [signal.state for _, signal in open_ledger(place[0]).signals_after(0, 100) if signal.kind == DOWN]
    assert states == ["firing", "ok"]
