"""Keeps the cycle's lease while a long stage runs, as long as the cycle gets somewhere.

A cycle that is merely slow must not lose its lease, and one that hangs must: so a thread renews it, and stops when
nothing has moved for a while. Then another process takes over, and what the hung one still writes is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType

from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.leases import Lease, LeaseLost

STALLED_SECONDS = 120.0
"""Without a word from the cycle for so long, its lease is not renewed any more."""


class LeaseKeeper:
    """Use as a context manager around the stages; call `moved` whenever something is done."""

    def __init__(self, ledger: Ledger, lease: Lease, ttl: timedelta, clock: Callable[[], datetime]) -> None:
        self.ledger, self.lease, self.ttl, self.clock = ledger, lease, ttl, clock
        self.every = ttl.total_seconds() / 3
        self._lost = False
        self._moved = time.monotonic()
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> LeaseKeeper:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(self.every)

    def moved(self) -> None:
        """The cycle got somewhere. Raises LeaseLost where another process has taken over."""
        self._moved = time.monotonic()
        if self.clock() - self.lease.heartbeat_at >= self.ttl / 3:
            self._renew()
        if self._lost:
            raise LeaseLost(f"the lease {self.lease.name!r} went to another while this cycle ran")

    def _keep(self) -> None:
        while not self._end.wait(self.every):
            if time.monotonic() - self._moved > STALLED_SECONDS:
                continue
            try:
                self._renew()
            except Exception:  # the ledger is away: the cycle meets the same, and tells it
                continue

    def _renew(self) -> None:
        with self._lock:
            renewed = self.ledger.renew(self.lease, self.clock(), self.ttl)
            if renewed is None:
                self._lost = True
            else:
                self.lease = renewed
