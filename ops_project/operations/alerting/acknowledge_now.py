"""What a person's shell does for an acknowledgement where no daemon runs: it takes it up and tells the pagers.

A shell has other secrets, and perhaps another overlay, than the process that decides. So it refuses to decide anything,
to tell a group, to close an alert, and to try a message that it cannot send.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.operations.alerting.cycle import Cycle, CycleReport, run_once
from ops_project.operations.alerting.decide.acknowledge import take_up, tell_pagers, told_elsewhere
from ops_project.operations.alerting.decide.state import Decision
from ops_project.operations.alerting.delivery import Deliverer
from ops_project.settings import Settings


def take_up_only(settings: Settings, catalog: Catalog, now: datetime, clock: Callable[[], datetime]) -> CycleReport:
    """Of a cycle only this. What was told through a channel that is unknown here stays for the next whole one."""
    return run_once(settings, catalog, now, clock=clock, observers=(), stages=(_record, _send))


def _record(cycle: Cycle) -> None:
    decision = Decision(cycle.ledger.load_state(cycle.config, cycle.now))
    take_up(decision, cycle.now, leave=told_elsewhere(decision.state, cycle.config))
    tell_pagers(decision, cycle.config, cycle.now)
    if not decision.empty:
        # No cursor: what nobody has decided on is still to be decided on.
        cycle.report.queued = cycle.ledger.record(decision, {}, cycle.now, cycle.lease.fenced)


def _send(cycle: Cycle) -> None:
    deliverer = Deliverer(cycle.ledger, cycle.catalog.receivers.receivers, cycle.settings, cycle.lease.fenced)
    cycle.report.delivery = deliverer.deliver(
        lambda: max(cycle.clock(), cycle.now), kind="acknowledge", without=cycle.config.unconfigured
    )
