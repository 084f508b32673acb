"""Listens between two ticks of the orchestrator, so that a failure does not wait for the next one.

A tick of the alert path asks a thread of this process for a cycle and takes its result. Afterwards the thread looks for
new events and for messages that come due, and runs a cycle for each. If the tick itself listened, every other sensor of
the daemon would have to wait, and an event after the end of the tick would wait for up to five seconds.

The thread ends when no tick has come for a while, or when another process decides. The next tick reports what the
thread did and what failed.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from ops_project.operations.alerting.stages.under_way import CycleReport


@dataclass(frozen=True)
class Pace:
    """The waiting times of the listener, in seconds."""

    listen: float = 15.0
    """How long the thread listens after a tick. A daemon ticks every five seconds, and a slow one still finds the
    thread awake.
    """
    look: float = 0.5
    """The time between two looks for new events."""
    flush: float = 1.0
    """The least time between two cycles that only send due messages, because with many groups one is due at any
    moment.
    """
    patience: float = 45.0
    """How long a tick waits for its cycle. The orchestrator itself gives up a tick after a minute."""
    leave: float = 5.0
    """How long a process that ends waits for its running cycle."""


@dataclass(frozen=True)
class Work:
    """The work of the thread. Its resources are opened anew for each tick, because files may have been replaced
    meanwhile.
    """

    cycle: Callable[[], CycleReport]
    newest: Callable[[], int]
    """The number of the newest event."""
    ours: Callable[[], bool]
    """Whether this process still decides."""
    now: Callable[[], datetime]
    """The clock in which `next_flush` is given."""


Opened = Callable[[], AbstractContextManager[Work]]


class Listener:
    """The listener of one process and ledger. `tick` may be called from any thread."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._changed = threading.Condition()
        self._opened: Opened | None = None
        self._asked = self._done = 0
        self._until = 0.0
        self._running_since: float | None = None
        """The monotonic time at which the running cycle began."""
        self._thread: threading.Thread | None = None
        self._leaving = False
        self._reports: list[CycleReport] = []
        self._error: BaseException | None = None

    def tick(self, opened: Opened) -> CycleReport:
        """Run a cycle, and continue to listen. Returns everything that was done since the last tick. Raises the
        error of the tick's own cycle. If an earlier cycle failed since the last tick, only the report names it,
        because the next cycle has done its work.

        A tick waits no longer for a cycle than `patience`, counted from the start of the cycle that is running. If a
        cycle hangs, only the first tick waits for it, and the later ones do not hold up the orchestrator's sensors.
        """
        with self._changed:
            before, self._error = self._error, None
            self._opened = opened
            self._asked += 1
            asked = self._asked
            came = time.monotonic()
            self._until = came + self.pace.listen
            if self._thread is None and not self._leaving:
                self._thread = threading.Thread(target=self._run, name="alert listener", daemon=True)
                self._thread.start()
                if asked == 1:
                    atexit.register(self.leave)
            self._changed.notify_all()
            since = came if self._running_since is None else self._running_since
            self._changed.wait_for(
                lambda: self._done >= asked or self._thread is None, since + self.pace.patience - came
            )
            self._until = time.monotonic() + self.pace.listen
            if self._done < asked and self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._done < asked:
                report = CycleReport(skipped=self._why_not_done(), ended=False)
            elif not self._reports:
                report = CycleReport(skipped="another tick reports the same cycle")
            else:
                report = _together(self._reports)
                self._reports = []
        if before is not None:
            report.failed_before = f"{type(before).__name__}: {before}"
        return report

    def _why_not_done(self) -> str:
        """Why a tick got no report of its cycle, unless the cycle failed."""
        if self._leaving:
            return "this process ends"
        if self._thread is None:
            return "the cycle failed, and another tick reports its error"
        seconds = time.monotonic() - (self._running_since or time.monotonic())
        return f"a cycle that began {seconds:.0f} s ago has not ended; a later tick reports it"

    def leave(self) -> None:
        """End the thread after its running cycle, so that a message is not cut off while it is sent."""
        atexit.unregister(self.leave)
        with self._changed:
            self._leaving = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(self.pace.leave)

    def _run(self) -> None:
        try:
            while (opened := self._next()) is not None:
                with opened() as work:
                    self._listen(work)
        except BaseException as error:  # The result is handed to the tick that waits for it, or to the next tick.
            with self._changed:
                self._error = error
                self._ended()

    def _next(self) -> Opened | None:
        """The request of the next tick; None if no tick has asked for a cycle for too long, and the thread must end."""
        with self._changed:
            if self._asked > self._done and not self._leaving:
                self._running_since = time.monotonic()
                return self._opened
            self._ended()
            return None

    def _ended(self) -> None:
        """The thread ends. A later tick starts another one."""
        self._thread = self._running_since = None
        self._changed.notify_all()

    def _listen(self, work: Work) -> None:
        """Run the cycle that a tick asked for, and others until the next tick asks or it is time to end."""
        seen, flush_at = self._cycle(work)
        ended = time.monotonic()
        while True:
            due = max(flush_at, ended + self.pace.flush)
            if self._wait(min(self.pace.look, due - time.monotonic())):
                return
            if time.monotonic() < due and work.newest() == seen:
                continue
            if not work.ours():
                return
            seen, flush_at = self._cycle(work)
            ended = time.monotonic()

    def _cycle(self, work: Work) -> tuple[int, float]:
        """Run one cycle. Returns the newest event before it, and the monotonic time at which the next message is
        due.
        """
        with self._changed:
            asked = self._asked
            self._running_since = time.monotonic()
        seen = work.newest()
        report = work.cycle()
        with self._changed:
            self._reports.append(report)
            self._done = asked
            self._running_since = None
            self._changed.notify_all()
        if report.next_flush is None:
            return seen, float("inf")
        return seen, time.monotonic() + (report.next_flush - work.now()).total_seconds()

    def _wait(self, seconds: float) -> bool:
        """Whether to stop listening: a tick asks for a cycle, the process ends, or no tick has come for too long."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked > self._done or self._leaving, seconds)
            return self._asked > self._done or self._leaving or time.monotonic() >= self._until


def _together(reports: list[CycleReport]) -> CycleReport:
    """One report of several cycles. It is skipped only if each of them was."""
    total, *later = reports
    for report in later:
        total.add(report)
    total.skipped = reports[-1].skipped if all(report.skipped for report in reports) else ""
    return total
