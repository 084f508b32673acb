"""Closes an alert in the shell of a person who calls `ops alerts resolve`. It is used if no daemon runs.

The shell has other secrets than the process that decides about alerts, and perhaps another configuration folder. So it
decides nothing else and sends no message. The next full cycle sends a message about the end of the alert to everybody
who was told of the alert.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.dismiss import close_by_hand
from ops_project.operations.alerting.decide.state import Decision
from ops_project.operations.alerting.stages.under_way import Cycle, CycleReport
from ops_project.settings import Settings


def close_only(settings: Settings, catalog: Catalog, now: datetime, clock: Callable[[], datetime]) -> CycleReport:
    """Run a cycle that only closes the alerts that people resolved."""
    return run_once(settings, catalog, now, clock=clock, observers=(), stages=(_record,))


def _record(cycle: Cycle) -> None:
    decision = Decision(cycle.ledger.load_state(cycle.config, cycle.now))
    close_by_hand(decision, cycle.now)
    if not decision.empty:
        # The cursor is not moved, because the next full cycle must still decide about the new signals.
        cycle.ledger.record(decision, {}, cycle.now, cycle.lease.fenced)
