"""A forked process has none of its parent's threads, so its cycle makes new threads for its looks."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ops_project.operations.alerting import lease_keeper, looks
from ops_project.operations.alerting.observers.observer import Observation, Observer
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class _View:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


def _in_child(work: Any) -> int:
    pid = os.fork()
    if not pid:
        try:
            os._exit(int(bool(work())))
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_look_in_a_forked_process_begins(tmp_path: Path) -> None:
    view: Any = _View(Settings.load(home=tmp_path))
    quick = Observer("quick", lambda _view: Observation(), hung_after=timedelta(seconds=60))
    assert looks.begin_or_wait(quick, view, 5.0) is not None
    assert looks._idle, "the thread of the first look waits for the next one"
    assert _in_child(lambda: looks.begin_or_wait(quick, view, 5.0) is not None) == 1


def test_a_look_that_is_late_in_the_parent_is_begun_anew_in_the_child(tmp_path: Path) -> None:
    view: Any = _View(Settings.load(home=tmp_path))
    hangs = Observer("hangs", lambda _view: time.sleep(0.5) or Observation(), hung_after=timedelta(seconds=60))
    assert looks.begin_or_wait(hangs, view, 0.01) is None
    assert _in_child(lambda: looks.begin_or_wait(hangs, view, 5.0) is not None) == 1


def test_a_lease_in_a_forked_process_is_kept_by_a_thread_of_its_own(tmp_path: Path) -> None:
    def kept() -> bool:
        with open_ledger(Settings.load(home=tmp_path)) as ledger:
            lease = ledger.acquire("decide", "me", NOW, timedelta(seconds=60))
            assert lease is not None
            with lease_keeper.LeaseKeeper(ledger, lease, timedelta(seconds=60), lambda: NOW):
                return lease_keeper._threads[0].is_alive()

    assert kept()
    with lease_keeper._starting:
        assert _in_child(kept) == 1
