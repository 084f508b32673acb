"""`ops watch`: a small process beside the orchestrator that reports when the orchestrator is down. As long as the
daemon's heartbeat is fresh, the process only reads the heartbeat. When the heartbeat is older than 60 s, the process
reports this, and runs the cycle itself until the heartbeat comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops_project.catalog import Catalog
from ops_project.model.alerting.signal import FIRING
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.cycle import DOWN, HEARTBEAT_TIMEOUT, LEASE, down_signal, run_once
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings


@dataclass
class Watch:
    """One watcher. `since`: when the watcher began to look. A daemon that has never started also gets 60 s, counted
    from `since`.
    """

    settings: Settings
    catalog: Catalog
    since: datetime
    instance: Any = None
    observers: Sequence[Observer] = OBSERVERS

    def look(self, now: datetime, clock: Callable[[], datetime] | None = None) -> CycleReport | None:
        """Look once at the daemon's heartbeat. Returns the report of the cycle if this process ran one."""
        ledger = open_ledger(self.settings)
        beat = ledger.cursor(authority.beat_of(authority.DAEMON))
        last = datetime.fromisoformat(beat) if beat else self.since
        found = authority.recorded(ledger)
        held = ledger.lease(LEASE)
        # A long cycle keeps its lease as long as it makes progress. A cycle that hangs loses its lease.
        running = (
            found is not None
            and found.role == authority.DAEMON
            and held is not None
            and held.holder == found.holder
            and held.expires_at > now
        )
        down = now - last > HEARTBEAT_TIMEOUT and not running
        before = next(iter(ledger.latest(DOWN).values()), None)
        was_down = before is not None and before.state == FIRING
        if down != was_down:
            words = f"no cycle has ended since {last:%Y-%m-%d %H:%M:%S} UTC" if down else "the heartbeat is back"
            ledger.append([down_signal(down, now, words)], now=now)
        if not down:
            return None
        return run_once(
            self.settings,
            self.catalog,
            now,
            self.instance,
            clock=clock,
            observers=self.observers,
            role=authority.WATCH,
        )
