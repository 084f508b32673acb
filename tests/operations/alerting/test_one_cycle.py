"""Only one cycle at a time: not two in one process, and not two if one takes longer than its lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project import catalog
from ops_project.operations.alerting.cycle import LEASE, LEASE_SECONDS, run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.load(home=tmp_path / "home")


def test_a_cycle_that_still_runs_in_this_process_is_not_joined(settings):
    """A sensor's tick that its daemon has given up goes on in its thread while the next one begins."""
    now, loaded, skipped = datetime.now(UTC), catalog.load(settings), []

    def look(_view) -> Observation:
        skipped.append(run_once(settings, loaded, now, observers=()).skipped)
        return Observation()

    assert not run_once(settings, loaded, now, observers=[Observer("nested", look)]).skipped
    assert skipped == ["this process runs the cycle already"]
    assert not run_once(settings, loaded, now, observers=()).skipped


def test_a_long_cycle_keeps_its_lease(settings):
    clock, loaded, others = [datetime.now(UTC)], catalog.load(settings), []

    def look(_view) -> Observation:
        clock[0] += timedelta(seconds=LEASE_SECONDS * 0.7)
        others.append(open_ledger(settings).acquire(LEASE, "another", clock[0], timedelta(seconds=1)))
        return Observation()

    observers = [Observer(name, look) for name in ("one", "two", "three")]
    run_once(settings, loaded, clock[0], observers=observers, clock=lambda: clock[0])
    assert others == [None, None, None]
