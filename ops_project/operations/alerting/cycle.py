"""The alert cycle: observe → decide → record → notify. One process at a time runs it. That process holds a lease.

All observations are stored before a decision is made, and every decision is stored before a message is sent. So the
process may be killed at any point.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ops_project import failures
from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import RESOLVED
from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.decide.clock import believed_until
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.lease_keeper import LeaseKeeper
from ops_project.operations.alerting.observers.observer import Observer, View
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.alerting.stages.act import incidents, notify, show, tidy_up
from ops_project.operations.alerting.stages.decide import decide_and_record
from ops_project.operations.alerting.stages.observe import observe
from ops_project.operations.alerting.stages.under_way import Cycle, CycleReport
from ops_project.operations.channels.registry import secret_values
from ops_project.operations.diagnosis.evidence import EvidenceSource
from ops_project.operations.incidents.rota import paged_now
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.operations.ledger.leases import Lease
from ops_project.operations.ledger.schedules_document import DOCUMENT as SCHEDULES
from ops_project.process.processes import Process, current
from ops_project.settings import Settings

LEASE = "cycle"
DAEMON_BEAT = authority.beat_of(authority.DAEMON)
DOWN = "orchestrator.down"
HEARTBEAT_TIMEOUT = authority.HEARTBEAT_TIMEOUT
LEASE_SECONDS = 60
LINEAGE = lineage_kept.DOCUMENT
_beats: dict[str, datetime] = {}
"""URL of a ledger → when this process's last cycle on it ended."""
# A lease distinguishes processes, but not the threads of one process. If the daemon gives up the tick of a sensor, the
# tick continues in a thread of this process.
_turns: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


Stage = Callable[[Cycle], None]
STAGES: tuple[Stage, ...] = (observe, decide_and_record, incidents, notify, show, tidy_up)


def daemon_beats(ledger: Ledger, now: datetime) -> bool:
    """Whether a process that decides about alerts is alive. `now`: the wall clock, because heartbeats use it."""
    return authority.alive(ledger, now, LEASE) is not None


def remember_schedules(ledger: Ledger, schedules: Mapping[str, Mapping[str, str]], now: datetime) -> None:
    """Store the schedule of each job, so that a process that has not loaded Dagster's definitions knows it."""
    name = digest(repr(sorted(schedules.items())))
    if ledger.document_digest(SCHEDULES) != name:
        ledger.put_document(SCHEDULES, schedules, name, now)


def run_once(
    settings: Settings,
    catalog: Catalog,
    now: datetime,
    instance: Any = None,
    *,
    lineage: Lineage | None = None,
    clock: Callable[[], datetime] | None = None,
    observers: Sequence[Observer] = OBSERVERS,
    evidence: Sequence[EvidenceSource] = (),
    holder: str | None = None,
    flush_now: bool = False,
    daemon: bool = False,
    role: str = "",
    take_over: bool = False,
    stages: Sequence[Stage] = STAGES,
) -> CycleReport:
    """Run one cycle. If another process decides about alerts, this process only observes, and the report names the
    other process.

    `lineage`: the asset graph; by default the stored one. `clock`: the wall clock, which leases and deliveries use. It
    moves on even in a replay, where `now` stands still. `flush_now`: send at once what a daemon would send after its
    group's wait. `daemon`: this is the orchestrator's own cycle; `ops watch` looks for its heartbeat. `role`: shell or
    watch, if this process is not a daemon. `take_over`: the configuration of this process becomes the recorded one.
    """
    began = time.monotonic()
    wall = clock or (lambda: now + timedelta(seconds=time.monotonic() - began))
    failures.install(catalog.failure_classes)
    role = role or (authority.DAEMON if daemon else authority.SHELL)
    # If the ledger is gone, a shell begins a new one and tells its user. A daemon does not begin a new ledger: it
    # reports the loss until a person decides.
    ledger = open_ledger(settings, begins=role == authority.SHELL)
    name = holder or str(current())
    with ExitStack() as held:
        turn = _turns[settings.ledger_url, name]
        if not turn.acquire(blocking=False):
            return CycleReport(skipped="this process runs the cycle already")
        held.callback(turn.release)
        held.enter_context(ledger.answers.keeping())

        def only_look(why: str) -> CycleReport:
            # The configuration of the deciding process may have assets that this process does not know.
            graph = (lineage or Lineage()).joined(lineage_kept.recall(ledger))
            view = View(
                settings=settings,
                catalog=catalog,
                ledger=ledger,
                lineage=graph,
                cursors=ledger.cursors(),
                now=now,
                instance=instance,
            )
            return _only_look(view, observers, why)

        if role == authority.SHELL and not take_over:
            deciding = authority.alive(ledger, wall(), LEASE)
            if deciding is not None:
                return only_look(authority.describe(deciding))
        lease = _take_lease(ledger, wall(), name)
        if lease is None:
            return only_look("another process runs the cycle")
        noted: dict[str, str] = {}
        # The lease is given back only if this process still has it. Another process may have taken it over.
        held.callback(lambda: ledger.release(lease, wall(), noted))
        standing = authority.standing(ledger, settings, catalog, role, take_over)
        if not standing.decides:
            return only_look(standing.words)
        standing = authority.record(ledger, role, name, standing, wall())
        if lineage is not None and not standing.borrowed:
            lineage_kept.remember(ledger, lineage, now)
        else:
            lineage = lineage_kept.recall(ledger)
        if ledger.sending():
            ledger.recover_claims()
        keeper = held.enter_context(LeaseKeeper(ledger, lease, timedelta(seconds=LEASE_SECONDS), wall))
        cycle = Cycle(
            settings=standing.settings,
            catalog=standing.catalog,
            ledger=ledger,
            lineage=lineage,
            config=alert_config(
                standing.settings,
                standing.catalog,
                lineage,
                flush_now,
                removed=lineage_kept.removed(ledger),
                secrets=standing.secrets,
                on_call=paged_now(standing.catalog, ledger, now),
            ),
            now=now,
            clock=wall,
            lease=lease,
            instance=instance,
            observers=observers,
            evidence=evidence,
            keeper=keeper,
            noted=noted,
            hidden=secret_values(standing.catalog.receivers.receivers, standing.settings),
        )
        cycle.report.decided_by = standing.words
        for stage in stages:
            cycle.moved()
            stage(cycle)
        if role != authority.SHELL:
            ended = wall()
            noted |= _ended(cycle, settings.ledger_url, role, ended)
    # The heartbeat is kept in memory only now, after it was stored. If storing it fails, the watcher may report an
    # outage, and the next cycle must find out.
    if role != authority.SHELL:
        _beats[settings.ledger_url] = ended
    cycle.report.seconds = time.monotonic() - began
    return cycle.report


def _only_look(view: View, observers: Sequence[Observer], why: str) -> CycleReport:
    """Run the cycle of a process that may not decide. It stores only observations that are the same under every
    configuration.
    """
    report = CycleReport(skipped=why, decided_by=why)
    for observer in observers:
        if not observer.anywhere or (observer.needs_instance and view.instance is None):
            continue
        try:
            while True:
                seen = observer.look(view)
                report.signals += view.ledger.append(seen.signals, seen.cursors, view.now)
                view = replace(view, cursors={**view.cursors, **seen.cursors})
                if not seen.more:
                    break
        except Exception as error:
            # The deciding process runs these observers too. If one fails, that process reports it.
            report.observer_errors[observer.name] = f"{type(error).__name__}: {error}"
    return report


def _ended(cycle: Cycle, url: str, role: str, now: datetime) -> dict[str, str]:
    """Record the heartbeat, which says that a cycle has ended. If a signal says that the orchestrator is down, the
    orchestrator's own cycle stores the ok signal that ends it.
    """
    if role == authority.DAEMON:
        back = down_signal(False, now, "the orchestrator's cycle ended")
        last = _beats.get(url)
        # If there was a gap since the last heartbeat, a watcher may have stored a report that no cycle has decided on
        # yet. Without a gap, only a watcher with a wrong clock can have reported an outage, and then there is an alert.
        alerting = _has_alert(cycle, back.fingerprint)
        if alerting or last is None or abs(now - last) > HEARTBEAT_TIMEOUT / 2:
            before = next(iter(cycle.ledger.latest(DOWN).values()), None)
            if before is not None and (alerting or before.state == FIRING):
                # The clock of the watcher may be ahead of this one. An ok signal counts only if it is not older than
                # the report.
                at = max(now, min(before.event_at, believed_until(now)))
                cycle.ledger.append([replace(back, event_at=at)], now=now)
    return {authority.beat_of(role): now.isoformat()}


def _has_alert(cycle: Cycle, series: str) -> bool:
    """Whether this series keeps an alert open after this cycle's decision."""
    if cycle.decision is None:
        return False
    known = (cycle.decision.state.alerts.get(number) for number in cycle.decision.alerts_of(series))
    return any(
        alert is not None
        and alert.status != RESOLVED
        and any(series in sources for sources in alert.conditions.values())
        for alert in known
    )


def down_signal(down: bool, now: datetime, words: str) -> Signal:
    """The signal that says whether the orchestrator is down."""
    return Signal(
        kind=DOWN,
        state=FIRING if down else OK,
        value=float(down),
        event_at=now,
        observed_at=now,
        occurrence=now.isoformat(),
        message=words,
        failure_class="orchestrator_down",
    )


def _take_lease(ledger: Ledger, now: datetime, holder: str) -> Lease | None:
    lease = ledger.acquire(LEASE, holder, now, timedelta(seconds=LEASE_SECONDS))
    if lease is not None:
        return lease
    held = ledger.lease(LEASE)
    process = Process.parse(held.holder) if held is not None else None
    if held is not None and process is not None and process.visible() and not process.alive():
        # The holder of the lease ran on this machine and has died, so no process can write under its lease any more.
        ledger.release(held, now)
        return ledger.acquire(LEASE, holder, now, timedelta(seconds=LEASE_SECONDS))
    return None
