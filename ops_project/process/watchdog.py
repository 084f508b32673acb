"""Ends a block of work that runs too long. It works without Dagster's daemon, because each run watches itself.
`dagster/max_runtime` does nothing for a run that was started by hand: with a limit of 8 s, such a run succeeded after
25 s.

First the run is asked to stop: dbt's queries are interrupted, and the process gets SIGTERM, which Dagster turns into a
failed step. After a grace period the process is ended, and its lock ends with it. If a process is stuck in C code and
never lets a thread run, the interpreter's own timer ends the process.
"""

from __future__ import annotations

import faulthandler
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

GRACE_SECONDS = 30.0
ASK_SECONDS = 5.0
STUCK_SECONDS = 30.0
"""If the thread of the watchdog does not run any more, the process is ended this long after the grace period."""
EXIT_CODE = 124
"""The exit code that `timeout(1)` uses."""


@dataclass
class Overrun:
    """The block that exceeded its limit."""

    what: str
    limit_seconds: float

    def __str__(self) -> str:
        return f"{self.what} ran longer than its limit of {self.limit_seconds:g} s"


@dataclass
class Watchdog:
    """Watches this process. These are the calls when a block has exceeded its limit, in their order:

    - `on_overrun` reports the block.
    - `interrupt` asks the run to stop.
    - `last_words` is called just before the process is ended by force.
    - `end` ends the process.
    """

    interrupt: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    on_overrun: Callable[[Overrun], None] = lambda _overrun: None
    last_words: Callable[[Overrun], None] = lambda _overrun: None
    end: Callable[[], None] = lambda: os._exit(EXIT_CODE)
    grace_seconds: float = GRACE_SECONDS
    overrun: Overrun | None = None
    _limits: dict[int, tuple[float, Overrun]] = field(default_factory=dict, repr=False)
    _keys: Iterator[int] = field(default_factory=itertools.count, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)
    _stopped: bool = False

    @contextmanager
    def limit(self, what: str, seconds: float) -> Iterator[None]:
        """Limit the block to `seconds`. Limits can be nested, and then the nearest deadline counts."""
        key = next(self._keys)  # No id is used twice, because a stop request is stored under its id.
        with self._changed:
            self._limits[key] = (time.monotonic() + seconds, Overrun(what, seconds))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._limits.pop(key, None)
                self._changed.notify()

    @contextmanager
    def armed(self, what: str, seconds: float) -> Iterator[Watchdog]:
        """Watch the block, then stop watching. If the watching thread is stuck, the interpreter's timer ends the
        process.
        """
        with _descriptor_for_traces() as traces:
            faulthandler.dump_traceback_later(seconds + self.grace_seconds + STUCK_SECONDS, exit=True, file=traces)
            try:
                with self.limit(what, seconds):
                    yield self
            finally:
                faulthandler.cancel_dump_traceback_later()
                with self._changed:
                    self._stopped = True
                    self._changed.notify()

    def _watch(self) -> None:
        asked: dict[int, float] = {}
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for key, (deadline, overrun) in list(self._limits.items()):
                    if key in asked and now >= asked[key] + self.grace_seconds:
                        self._force(overrun)
                        return
                    if key not in asked and now >= deadline:
                        asked[key] = now
                        self.overrun = overrun
                        logger.error("%s; asking it to stop", overrun)
                        self._ask(overrun)
                waits = [asked[k] + self.grace_seconds if k in asked else d for k, (d, _) in self._limits.items()]
                self._changed.wait(max(0.01, min(waits) - time.monotonic()) if waits else None)

    def _ask(self, overrun: Overrun) -> None:
        # The call runs in a thread of its own, because it may wait for the same thing as the run.
        _within(ASK_SECONDS, lambda: self.on_overrun(overrun))
        self.interrupt()

    def _force(self, overrun: Overrun) -> None:
        logger.error("%s and did not stop within %g s; ending the process", overrun, self.grace_seconds)
        _within(ASK_SECONDS, lambda: self.last_words(overrun))
        self.end()


@contextmanager
def _descriptor_for_traces() -> Iterator[int]:
    """The descriptor to which the interpreter's timer writes the activity of each thread.

    This is the descriptor of standard error, if there is one. Otherwise the process is watched, but the traces are
    discarded. Descriptor 2 is not used in that case, because it can be any file that the process opened later.
    """
    for stream in (sys.stderr, sys.__stderr__):
        try:
            number = stream.fileno() if stream is not None else -1
            os.fstat(number)
        except (OSError, ValueError, AttributeError):
            continue
        yield number
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        yield nowhere
    finally:
        os.close(nowhere)


def _within(seconds: float, work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work, name="watchdog-words", daemon=True)
    thread.start()
    thread.join(seconds)
