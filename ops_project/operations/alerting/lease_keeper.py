"""Keeps the lease of a cycle while a long stage runs and makes progress.

A slow cycle must keep its lease, and a cycle that hangs must lose it. So a thread renews the lease until the cycle has
made no progress for a while. Then another process takes over, and what the hung cycle tries to write later is refused.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType

from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.leases import Lease, LeaseLost

STALLED_SECONDS = 120.0
"""If the cycle reports no progress for this long, its lease is no longer renewed."""


class LeaseKeeper:
    """A context manager around the stages of a cycle. Call `moved` after each piece of progress."""

    def __init__(self, ledger: Ledger, lease: Lease, ttl: timedelta, clock: Callable[[], datetime]) -> None:
        self.ledger, self.lease, self.ttl, self.clock = ledger, lease, ttl, clock
        self.every = ttl.total_seconds() / 3
        self._lost = False
        self._moved = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> LeaseKeeper:
        _kept.add(self)
        _start(self.every)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _kept.discard(self)

    def moved(self) -> None:
        """Report progress. Raises LeaseLost if another process has taken over the cycle."""
        self._moved = time.monotonic()
        if self.clock() - self.lease.heartbeat_at >= self.ttl / 3:
            self._renew()
        if self._lost:
            raise LeaseLost(f"the lease {self.lease.name!r} went to another process while this cycle ran")

    def keep(self) -> None:
        """Renew the lease, unless the cycle has made no progress for too long. The thread calls this."""
        if time.monotonic() - self._moved <= STALLED_SECONDS and self in _kept:
            # If the ledger cannot be reached, the cycle gets the same error and reports it.
            with suppress(Exception):
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            renewed = self.ledger.renew(self.lease, self.clock(), self.ttl)
            if renewed is None:
                self._lost = True
            else:
                self.lease = renewed


_kept: set[LeaseKeeper] = set()
_starting = threading.Lock()
_threads: list[threading.Thread] = []


def _forget() -> None:
    """Forget the leases and the thread of the parent process, because a forked process has neither. The lock is made
    anew, because it may have been held at the moment of the fork.
    """
    global _starting
    _kept.clear()
    _threads.clear()
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_forget)


def _start(every: float) -> None:
    """Start the thread that renews all leases of this process, unless it already runs. One thread for each cycle would
    cost more than all other work of an idle cycle.
    """
    with _starting:
        if not _threads or not _threads[0].is_alive():
            _threads[:] = [threading.Thread(target=_keep_all, args=(every,), name="leases", daemon=True)]
            _threads[0].start()


def _keep_all(every: float) -> None:
    while True:
        time.sleep(every)
        for keeper in list(_kept):
            keeper.keep()
