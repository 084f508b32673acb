"""`ops watch`: a small process beside the orchestrator, for the one failure that the orchestrator cannot tell – its
own.

While the daemon's heartbeat is fresh it only looks. Once it is older than 60 s it says so, and runs the cycle itself
until the heartbeat comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops_project.catalog import Catalog
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import DAEMON_BEAT, HEARTBEAT_TIMEOUT, CycleReport, run_once
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

KIND = "orchestrator.down"


@dataclass
class Watch:
    """One watcher; `since` is when it began to look: a daemon that never was gets the same 60 s."""

    settings: Settings
    catalog: Catalog
    since: datetime
    instance: Any = None
    observers: Sequence[Observer] = OBSERVERS

    def look(self, now: datetime, clock: Callable[[], datetime] | None = None) -> CycleReport | None:
        """One look. Returns the cycle's report where this process ran it."""
        ledger = open_ledger(self.settings)
        beat = ledger.cursor(DAEMON_BEAT)
        last = datetime.fromisoformat(beat) if beat else self.since
        down = now - last > HEARTBEAT_TIMEOUT
        before = next(iter(ledger.latest(KIND).values()), None)
        was_down = before is not None and before.state == FIRING
        if down != was_down:
            words = f"no heartbeat since {last:%Y-%m-%d %H:%M:%S} UTC" if down else "the heartbeat is back"
            ledger.append(
                [
                    Signal(
                        kind=KIND,
                        state=FIRING if down else OK,
                        value=float(down),
                        event_at=now,
                        observed_at=now,
                        occurrence=now.isoformat(),
                        message=words,
                        failure_class="orchestrator_down",
                        owners=("team:infrastructure",),
                    )
                ],
                now=now,
            )
        if not down:
            return None
        return run_once(self.settings, self.catalog, now, self.instance, clock=clock, observers=self.observers)
