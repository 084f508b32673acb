"""Listens between two ticks of the orchestrator, so that a failure does not have to wait for the next tick.

A tick of the alert path asks a thread of this process for a cycle and takes its result. Between the ticks, the thread
looks for new events and for messages that are due, and runs a cycle for them. If the tick itself listened, every other
sensor of the daemon would have to wait, and an event after the end of the tick would wait for up to five seconds.

The thread ends when no tick has come for a while, or when another process decides about alerts. The next tick reports
what the thread has done and what has failed.
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
    """How long the thread listens after a tick. A daemon ticks every five seconds, so even a slow daemon finds the
    thread still running.
    """
    look: float = 0.5
    """The time between two looks for new events."""
    flush: float = 1.0
    """The least time between two cycles that only send messages. With many groups, some message is due at almost any
    moment.
    """
    patience: float = 45.0
    """How long a tick waits for its cycle. The orchestrator gives up a tick after a minute."""
    leave: float = 5.0
    """How long a process that is ending waits for its running cycle."""


@dataclass(frozen=True)
class Work:
    """The work of the thread: the functions that it calls. Its resources are opened again for each tick, because files
    may have been replaced in the meantime.
    """

    cycle: Callable[[], CycleReport]
    newest: Callable[[], int]
    """The number of the newest event."""
    ours: Callable[[], bool]
    """Whether this process still decides."""
    now: Callable[[], datetime]
    """The clock in which a report gives `next_flush`."""


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
        """The monotonic time at which the running cycle began; None if no cycle is running."""
        self._thread: threading.Thread | None = None
        self._leaving = False
        self._reports: list[CycleReport] = []
        self._error: BaseException | None = None

    def tick(self, opened: Opened) -> CycleReport:
        """Run a cycle, and keep listening. Returns everything that was done since the last tick. Raises the error of
        the tick's own cycle. If another cycle has failed since the last tick, the report only names its error, because
        a later cycle has done its work.

        A tick waits at most `patience` seconds, counted from the start of the cycle that is running. If a cycle hangs,
        only the first tick waits for it. Later ticks return at once, so they do not hold up the orchestrator's sensors.
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
        """Why a tick got no report, for the case that its cycle did not fail."""
        if self._leaving:
            return "this process ends"
        if self._thread is None:
            return "the cycle failed, and another tick reports its error"
        seconds = time.monotonic() - (self._running_since or time.monotonic())
        return f"a cycle that began {seconds:.0f} s ago has not ended; a later tick reports it"

    def leave(self) -> None:
        """End the thread after its running cycle, so that sending a message is not interrupted."""
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
        # The error is handed to the tick that waits for this cycle, or to the next tick.
        except BaseException as error:
            with self._changed:
                self._error = error
                self._ended()

    def _next(self) -> Opened | None:
        """The resources of the tick that waits for a cycle. None if no tick waits; then the thread must end."""
        with self._changed:
            if self._asked > self._done and not self._leaving:
                self._running_since = time.monotonic()
                return self._opened
            self._ended()
            return None

    def _ended(self) -> None:
        """Record that the thread ends. A later tick starts another thread."""
        self._thread = self._running_since = None
        self._changed.notify_all()

    def _listen(self, work: Work) -> None:
        """Run the cycle that a tick asked for. Then run others as needed, until another tick asks or it is time
        to end.
        """
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
        """Run one cycle. Returns the number of the newest event before the cycle, and the monotonic time at which the
        next message is due.
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
        """Wait. Returns whether listening ends: a tick asks for a cycle, the process is ending, or no tick has come for
        too long.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._asked > self._done or self._leaving, seconds)
            return self._asked > self._done or self._leaving or time.monotonic() >= self._until


def _together(reports: list[CycleReport]) -> CycleReport:
    """One report about several cycles. It counts as skipped only if each of them was skipped."""
    total, *later = reports
    for report in later:
        total.add(report)
    total.skipped = reports[-1].skipped if all(report.skipped for report in reports) else ""
    return total
