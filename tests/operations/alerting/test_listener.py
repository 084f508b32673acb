"""Between two ticks a thread continues the alert path, and the next tick reports what the thread did."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops_project.defs.operations.sensors import words
from ops_project.operations.alerting.listener import Listener, Pace, Work
from ops_project.operations.alerting.stages.under_way import CycleReport

QUICK = Pace(listen=60.0, look=0.01, flush=0.05, patience=60.0, leave=10.0)
LONGEST = 20.0
"""The time limit is long enough for a busy machine."""


def wall() -> datetime:
    return datetime.now(UTC)


class Alerting:
    """Events that come, a cycle that reads them, and groups whose messages come due."""

    def __init__(self) -> None:
        self.events = 0
        self.read = 0
        self.groups: list[datetime] = []
        self.sent: list[datetime] = []
        self.cycles = self.opened = self.closed = 0
        self.authority = True
        self.fails: BaseException | None = None
        self.skips = ""
        self.hangs = threading.Event()
        self.hangs.set()

    @contextmanager
    def work(self) -> Iterator[Work]:
        self.opened += 1
        yield Work(cycle=self.cycle, newest=lambda: self.events, ours=lambda: self.authority, now=wall)
        self.closed += 1

    def cycle(self) -> CycleReport:
        self.hangs.wait()
        self.cycles += 1
        if self.fails is not None:
            raise self.fails
        if self.skips:
            return CycleReport(skipped=self.skips)
        report = CycleReport(signals=self.events - self.read)
        self.read = self.events
        now = wall()
        self.sent += [at for at in self.groups if at <= now]
        self.groups = [at for at in self.groups if at > now]
        report.next_flush = min(self.groups, default=None)
        return report


@pytest.fixture
def alerting() -> Alerting:
    return Alerting()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(QUICK)
    yield made
    made.leave()


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONGEST
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


def test_an_event_between_two_ticks_waits_for_no_tick(alerting: Alerting, listener: Listener) -> None:
    assert listener.tick(alerting.work).signals == 0
    alerting.events = 3
    assert soon(lambda: alerting.read == 3)
    alerting.events = 5
    assert soon(lambda: alerting.read == 5)
    assert listener.tick(alerting.work).signals == 5, "the next tick reports what was done without it"


def test_errors_of_all_cycles_reach_the_report_of_the_next_tick() -> None:
    first, later = CycleReport(observer_errors={"runs": "no file"}), CycleReport(late=["sources"], seconds=0.5)
    later.observer_errors["sources"], later.delivery.errors["mail"], later.delivery.postponed = "hangs", "refused", 2
    later.waiting["pager"] = later.decided_by = "X"
    first.add(later)
    assert first.observer_errors == {"runs": "no file", "sources": "hangs"} and first.late == ["sources"]
    assert first.delivery.errors == {"mail": "refused"} and first.delivery.postponed == 2
    assert (first.waiting, first.decided_by, first.seconds) == ({"pager": "X"}, "X", 0.5)
    assert words(first).endswith("0 failed; runs: no file; sources: hangs; mail: refused"), (
        "the tick history names them"
    )


def test_each_group_is_sent_when_it_comes_due_and_not_only_the_first(alerting: Alerting, listener: Listener) -> None:
    alerting.groups = [wall() + timedelta(seconds=seconds) for seconds in (0.06, 0.15, 0.25)]
    wanted = list(alerting.groups)
    listener.tick(alerting.work)
    assert soon(lambda: alerting.sent == wanted)


def test_groups_that_come_due_all_the_time_do_not_keep_the_process_busy(alerting: Alerting, listener: Listener) -> None:
    alerting.groups = [wall() + timedelta(milliseconds=n) for n in range(300)]
    listener.tick(alerting.work)
    began = time.monotonic()
    assert soon(lambda: len(alerting.sent) == 300)
    assert alerting.cycles <= (time.monotonic() - began) / QUICK.flush + 2


def test_it_ends_when_no_tick_comes_any_more(alerting: Alerting) -> None:
    listener = Listener(replace(QUICK, listen=0.05))
    listener.tick(alerting.work)
    assert soon(lambda: alerting.closed == 1)
    alerting.events = 1
    time.sleep(0.05)
    assert alerting.read == 0
    assert listener.tick(alerting.work).signals == 1


def test_it_ends_when_another_process_decides(alerting: Alerting, listener: Listener) -> None:
    listener.tick(alerting.work)
    alerting.authority = False
    alerting.events = 1
    assert soon(lambda: alerting.closed == 1)
    assert alerting.cycles == 1


def test_resources_are_opened_anew_for_each_tick(alerting: Alerting, listener: Listener) -> None:
    """A restore may have replaced the files under them."""
    listener.tick(alerting.work)
    listener.tick(alerting.work)
    assert (alerting.opened, alerting.closed) == (2, 1)


def test_a_tick_fails_with_its_cycle_and_the_next_one_begins_anew(alerting: Alerting, listener: Listener) -> None:
    alerting.fails = RuntimeError("the disk is full")
    with pytest.raises(RuntimeError, match="the disk is full"):
        listener.tick(alerting.work)
    alerting.fails = None
    assert not listener.tick(alerting.work).failed_before


def test_a_cycle_that_failed_by_itself_is_named_by_the_next_tick(alerting: Alerting, listener: Listener) -> None:
    listener.tick(alerting.work)
    alerting.fails = RuntimeError("the disk is full")
    alerting.events = 1
    assert soon(lambda: alerting.cycles == 2)
    alerting.fails = None
    report = listener.tick(alerting.work)
    assert report.failed_before == "RuntimeError: the disk is full" and report.signals == 1


def test_a_tick_does_not_wait_for_ever_for_a_cycle_that_hangs(alerting: Alerting) -> None:
    listener = Listener(replace(QUICK, patience=0.05))
    alerting.hangs.clear()
    assert "has not ended" in listener.tick(alerting.work).skipped
    alerting.hangs.set()
    alerting.events = 2
    assert soon(lambda: alerting.read == 2)
    listener.leave()


def test_a_process_that_ends_finishes_its_cycle_and_begins_no_other(alerting: Alerting, listener: Listener) -> None:
    listener.tick(alerting.work)
    alerting.hangs.clear()
    alerting.events = 1
    time.sleep(0.05)
    threading.Timer(0.05, alerting.hangs.set).start()
    listener.leave()
    assert alerting.read == 1 and alerting.closed == 1


def test_only_the_first_tick_waits_for_a_cycle_that_hangs(alerting: Alerting) -> None:
    """The orchestrator asks its sensors one after the other, so each tick that waits would delay all others."""
    listener = Listener(replace(QUICK, patience=0.3))
    alerting.hangs.clear()
    try:
        listener.tick(alerting.work)
        began = time.monotonic()
        assert "has not ended" in [listener.tick(alerting.work) for _ in range(5)][-1].skipped
        assert time.monotonic() - began < 0.3
        alerting.events = 2
    finally:
        alerting.hangs.set()
    assert soon(lambda: alerting.read == 2), "what the ticks asked for is done when it ends"
    listener.leave()


def test_work_is_reported_although_a_later_cycle_had_nothing_to_do(alerting: Alerting, listener: Listener) -> None:
    """For example, another process may decide by then."""
    listener.tick(alerting.work)
    alerting.events = 3
    assert soon(lambda: alerting.read == 3)
    alerting.skips = "another process runs the cycle"
    report = listener.tick(alerting.work)
    assert (report.signals, report.skipped) == (3, "")
    assert listener.tick(alerting.work).skipped == alerting.skips


def test_each_of_two_ticks_that_wait_for_a_cycle_that_fails_says_so(alerting: Alerting, listener: Listener) -> None:
    alerting.hangs.clear()
    alerting.fails = RuntimeError("the disk is full")
    told: list[str] = []

    def tick() -> None:
        try:
            told.append(listener.tick(alerting.work).skipped)
        except RuntimeError as error:
            told.append(str(error))

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert soon(lambda: listener._asked == 2)
    alerting.hangs.set()
    for thread in threads:
        thread.join(LONGEST)
    assert sorted(told) == ["the cycle failed, and another tick reports its error", "the disk is full"]


def test_an_error_of_earlier_is_not_taken_for_the_tick_s_own(alerting: Alerting) -> None:
    listener = Listener(replace(QUICK, patience=0.05))
    listener.tick(alerting.work)
    alerting.fails, alerting.events = RuntimeError("the disk is full"), 1
    assert soon(lambda: alerting.cycles == 2 and listener._thread is None)
    alerting.fails = None
    alerting.hangs.clear()
    report = listener.tick(alerting.work)
    assert "has not ended" in report.skipped and report.failed_before == "RuntimeError: the disk is full"
    alerting.hangs.set()
    listener.leave()


def test_a_process_that_starts_the_thread_again_and_again_keeps_one_entry_for_its_end(alerting: Alerting) -> None:
    """The second of two daemons does so at every tick."""
    before = atexit._ncallbacks()
    listener = Listener(replace(QUICK, listen=0.0))
    for _ in range(5):
        listener.tick(alerting.work)
        assert soon(lambda: listener._thread is None)
    assert atexit._ncallbacks() == before + 1
    listener.leave()


def test_a_tick_of_a_process_that_ends_says_so(alerting: Alerting, listener: Listener) -> None:
    listener.leave()
    assert listener.tick(alerting.work).skipped == "this process ends"
