"""Stores an acknowledgement and informs the pagers, in the shell of the person who acknowledges. It is used if no
daemon runs.

The shell has other secrets than the process that decides about alerts, and perhaps another configuration folder. So it
decides nothing, sends no group message, closes no alert, and does not try a message that it cannot send.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.decide.acknowledge import take_up, tell_pagers, told_elsewhere
from ops_project.operations.alerting.decide.state import Decision
from ops_project.operations.alerting.delivery import Deliverer
from ops_project.operations.alerting.stages.under_way import Cycle, CycleReport
from ops_project.settings import Settings


def take_up_only(settings: Settings, catalog: Catalog, now: datetime, clock: Callable[[], datetime]) -> CycleReport:
    """Run a cycle that only stores acknowledgements and informs the pagers. An alert that was sent through a channel
    that this configuration does not know is left to the next full cycle.
    """
    return run_once(settings, catalog, now, clock=clock, observers=(), stages=(_record, _send))


def _record(cycle: Cycle) -> None:
    decision = Decision(cycle.ledger.load_state(cycle.config, cycle.now))
    take_up(decision, cycle.now, leave=told_elsewhere(decision.state, cycle.config))
    tell_pagers(decision, cycle.config, cycle.now)
    if not decision.empty:
        # The cursor is not moved, because the next full cycle must still decide about the new signals.
        cycle.report.queued = cycle.ledger.record(decision, {}, cycle.now, cycle.lease.fenced)


def _send(cycle: Cycle) -> None:
    deliverer = Deliverer(cycle.ledger, cycle.catalog.receivers.receivers, cycle.settings, cycle.lease.fenced)
    cycle.report.delivery = deliverer.deliver(
        lambda: max(cycle.clock(), cycle.now), kind="acknowledge", without=cycle.config.unconfigured
    )
