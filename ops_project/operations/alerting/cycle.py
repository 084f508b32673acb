"""The cycle: observe → decide → record → notify. One process at a time runs it, under a lease.

Everything that is read is stored before it is decided on, and everything decided is stored before anybody is told, so
that the process may die anywhere. On-call and incidents will be stages between decide and notify.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.evaluate import remember
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from ops_project.operations.alerting.delivery import Deliverer, DeliveryReport
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.observers.observer import Observer, View
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.operations.ledger.leases import Lease, LeaseLost
from ops_project.operations.ledger.schedules_document import DOCUMENT as SCHEDULES
from ops_project.process.kill_points import reach
from ops_project.process.processes import Process, current
from ops_project.settings import Settings

LEASE = "cycle"
DAEMON_BEAT = "heartbeat:daemon"
# A daemon whose heartbeat is older than this does not run the cycle.
HEARTBEAT_TIMEOUT = timedelta(seconds=60)
LEASE_SECONDS = 60
DECIDED = "decided"
LINEAGE = lineage_kept.DOCUMENT
SHOWN = "shown"
BATCH = 5000
# A batch becomes visible at most this long after it was loaded.
LONGEST_LOAD = timedelta(days=1)
# An observer that is late by this share of its interval looks in any case.
LATE = 0.5
# The lease tells processes apart. A sensor's tick that the daemon has given up still runs in its thread, in this one.
_turns: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)


@dataclass
class CycleReport:
    """What one cycle did."""

    skipped: str = ""
    """Why nothing was done, or empty."""
    signals: int = 0
    decided: int = 0
    fired: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    queued: int = 0
    delivery: DeliveryReport = field(default_factory=DeliveryReport)
    observer_errors: dict[str, str] = field(default_factory=dict)
    next_flush: datetime | None = None
    seconds: float = 0.0


@dataclass
class Cycle:
    """What the stages of one cycle share."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    lineage: Lineage
    config: AlertConfig
    now: datetime
    clock: Callable[[], datetime]
    lease: Lease
    instance: Any = None
    observers: Sequence[Observer] = ()
    decision: Decision | None = None
    cursor: int = 0
    report: CycleReport = field(default_factory=CycleReport)


def observe(cycle: Cycle) -> None:
    """Look at everything; store signals with the cursors they came from. One observer's failure stops no other."""
    cursors = cycle.ledger.cursors()
    looked: dict[str, str] = {}
    for observer in _due(cycle, cursors):
        _keep_lease(cycle)
        failing = cursors.get(f"failing:{observer.name}", "") == "1"
        try:
            while True:
                view = View(
                    cycle.settings, cycle.catalog, cycle.ledger, cycle.lineage, cursors, cycle.now, cycle.instance
                )
                seen = observer.look(view)
                cycle.report.signals += cycle.ledger.append(seen.signals, seen.cursors, cycle.now)
                reach("cycle:observed")
                cursors = {**cursors, **seen.cursors}
                if not seen.more:
                    break
        except Exception as error:
            # Whatever goes wrong in one place is itself a signal: what it watches is unknown until it works again.
            words = f"{type(error).__name__}: {error}"
            cycle.report.observer_errors[observer.name] = words
            if not failing:
                cycle.ledger.append(
                    [_observer_signal(cycle, observer, FIRING, words)], {f"failing:{observer.name}": "1"}, cycle.now
                )
        else:
            if failing:
                mended = _observer_signal(cycle, observer, OK, "")
                cycle.ledger.append([mended], {f"failing:{observer.name}": ""}, cycle.now)
            if observer.every:
                looked[f"looked:{observer.name}"] = cycle.now.isoformat()
    if looked:
        cycle.ledger.append([], looked, cycle.now)


def _due(cycle: Cycle, cursors: Mapping[str, str]) -> list[Observer]:
    """Whose turn it is. Of those that look now and then one in a cycle, the longest overdue: together they were the
    slowest cycle in six. What is late by half its interval does not wait, nor does anything where nobody comes back."""
    always, periodic = [], []
    for observer in cycle.observers:
        if observer.needs_instance and cycle.instance is None:
            continue
        if not observer.every:
            always.append(observer)
            continue
        before = cursors.get(f"looked:{observer.name}")
        # A look that lies ahead was made under another clock.
        late = abs(cycle.now - datetime.fromisoformat(before)) - observer.every if before else observer.every
        if late >= timedelta():
            periodic.append((late / observer.every, observer))
    if periodic and not cycle.config.flush_now:
        longest = max(late for late, _ in periodic)
        first = next(observer for late, observer in periodic if late == longest)
        periodic = [(late, observer) for late, observer in periodic if late >= LATE or observer is first]
    chosen = {observer.name for _, observer in periodic}
    return [observer for observer in cycle.observers if observer in always or observer.name in chosen]


def _observer_signal(cycle: Cycle, observer: Observer, state: str, words: str) -> Signal:
    return Signal(
        kind="observer.failure",
        state=state,
        value=float(state == FIRING),
        event_at=cycle.now,
        observed_at=cycle.now,
        occurrence=cycle.now.isoformat(),
        check=observer.name,
        message=words,
        failure_class="code_error",
    )


def decide_and_record(cycle: Cycle) -> None:
    """Read the signals that nobody has decided on; write what follows, with the messages, in one transaction each."""
    ledger, config = cycle.ledger, cycle.config
    cursor = int(ledger.cursor(DECIDED) or 0)
    batch = ledger.signals_after(cursor, BATCH)
    state = _load_state(cycle, cursor, [signal for _, signal in batch])
    before = {number: alert.status for number, alert in state.alerts.items()}
    while len(batch) == BATCH:
        # Nobody is told before all of a backlog is known: a symptom could come before its cause.
        decision = decide(state, [signal for _, signal in batch], config, cycle.now, tell=False)
        cursor = batch[-1][0]
        _record(cycle, decision, cursor)
        state = decision.state
        cycle.report.decided += len(batch)
        batch = ledger.signals_after(cursor, BATCH)
        ledger.load_levels(state, config, [signal.fingerprint for _, signal in batch])
    decision = decide(state, [signal for _, signal in batch], config, cycle.now)
    cursor = batch[-1][0] if batch else cursor
    if batch or not decision.empty:
        _record(cycle, decision, cursor)
    cycle.report.decided += len(batch)
    cycle.decision = decision
    cycle.report.next_flush = decision.next_flush
    after = {**decision.final, **decision.state.alerts}
    for number, alert in sorted(after.items()):
        if alert.fired_at is not None and before.get(number) not in ("firing", "resolved"):
            cycle.report.fired.append(number)
        if alert.status == "resolved" and alert.fired_at is not None and before.get(number) != "resolved":
            cycle.report.resolved.append(number)


def _load_state(cycle: Cycle, decided: int, news: Sequence[Signal]) -> State:
    """The state, with what can matter: the levels of the series that have news, of all under another configuration; the
    windows of what has news, and of open alerts, which slide."""
    ledger, config = cycle.ledger, cycle.config
    state = ledger.load_state(config, cycle.now)
    if state.rules_version != config.version:
        ledger.load_levels(state, config)
    elif news:
        ledger.load_levels(state, config, [signal.fingerprint for signal in news])
    # A batch that was loaded long before it became visible has its window before that.
    earliest = max(min([cycle.now, *(signal.event_at for signal in news)]), cycle.now - LONGEST_LOAD)
    by_window: dict[timedelta, list[str]] = {}
    for kind, window in (config.windowed() if news else _sliding(state, config)).items():
        by_window.setdefault(window, []).append(kind)
    for window, kinds in by_window.items():
        for _, signal in ledger.signals_since(earliest - window, kinds, up_to=decided):
            remember(state, signal, config)
    return state


def _sliding(state: State, config: AlertConfig) -> dict[str, timedelta]:
    rules = {a.rule for a in state.alerts.values() if any("window" in held for held in a.conditions.values())}
    metrics = {c.metric for name in rules if name in config.rules for c in config.rules[name].conditions}
    return {metric: window for metric, window in config.windowed().items() if metric in metrics}


def _record(cycle: Cycle, decision: Decision, cursor: int) -> None:
    lease = cycle.lease
    state = decision.state
    progress = {DECIDED: str(cursor), "routes_version": state.routes_version, "rules_version": state.rules_version}
    cycle.report.queued += cycle.ledger.record(decision, progress, cycle.now, lease.fenced)
    reach("cycle:recorded")


def notify(cycle: Cycle) -> None:
    """Send what is due."""
    # Where the clock that decides is ahead of the wall, as in a rehearsal of tomorrow, what it wrote is due now.
    deliverer = Deliverer(cycle.ledger, cycle.catalog.receivers.receivers, cycle.settings, cycle.lease.fenced)
    cycle.report.delivery = deliverer.deliver(lambda: max(cycle.clock(), cycle.now))


def show(cycle: Cycle) -> None:
    """Show on each asset in the Dagster UI what is open on it."""
    if cycle.instance is None or cycle.decision is None:
        return
    from ops_project.operations.alerting.dagster.shown_alerts import show as show_on_asset

    open_now: dict[str, list[Any]] = {}
    for alert in cycle.decision.state.alerts.values():
        if alert.status == FIRING:
            for asset in alert.assets or ((alert.asset,) if alert.asset else ()):
                open_now.setdefault(asset, []).append(alert)
    wanted = {
        asset: digest(*(f"{a.number}:{a.severity}:{a.summary}:{a.acknowledged_by}" for a in alerts))
        for asset, alerts in open_now.items()
        if asset in cycle.lineage.assets
    }
    shown: dict[str, str] = cycle.ledger.document(SHOWN) or {}
    if wanted == shown:
        return
    for asset in sorted({*wanted, *shown}):
        if wanted.get(asset) != shown.get(asset):
            show_on_asset(cycle.instance, asset, open_now.get(asset, []) if asset in wanted else [])
    cycle.ledger.put_document(SHOWN, wanted, digest(*sorted(wanted.values())), cycle.now)


Stage = Callable[[Cycle], None]
STAGES: tuple[Stage, ...] = (observe, decide_and_record, notify, show)


def daemon_beats(ledger: Ledger, now: datetime) -> bool:
    """Whether a daemon runs the cycle. `now`: the wall clock, which its heartbeat is of."""
    beat = ledger.cursor(DAEMON_BEAT)
    return beat is not None and abs(now - datetime.fromisoformat(beat)) <= HEARTBEAT_TIMEOUT


def remember_schedules(ledger: Ledger, schedules: Mapping[str, Mapping[str, str]], now: datetime) -> None:
    """Keep when which job starts by itself, for the same reason."""
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
    holder: str | None = None,
    flush_now: bool = False,
    daemon: bool = False,
    stages: Sequence[Stage] = STAGES,
) -> CycleReport:
    """One cycle. Skips, and says so, while another process runs the cycle.

    `lineage`: the asset graph, else the one that was kept. `clock`: the wall clock, for leases and deliveries; in a
    replay `now` stands still. `flush_now`: send at once what a daemon would send after its group's wait. `daemon`: this
    is the orchestrator's own cycle, whose heartbeat `ops watch` looks for.
    """
    began = time.monotonic()
    wall = clock or (lambda: now + timedelta(seconds=time.monotonic() - began))
    ledger = open_ledger(settings)
    if daemon:
        ledger.set_cursor(DAEMON_BEAT, wall().isoformat(), wall())
    name = holder or str(current())
    with ExitStack() as held:
        turn = _turns[settings.ledger_url, name]
        if not turn.acquire(blocking=False):
            return CycleReport(skipped="this process runs the cycle already")
        held.callback(turn.release)
        lease = _take_lease(ledger, wall(), name)
        if lease is None:
            return CycleReport(skipped="another process runs the cycle")
        # Also where another has it by now: only what is still ours is given back.
        held.callback(lambda: ledger.release(lease, wall()))
        if lineage is not None:
            lineage_kept.remember(ledger, lineage, now)
        else:
            lineage = lineage_kept.recall(ledger)
        if ledger.sending():
            ledger.recover_claims()
        cycle = Cycle(
            settings=settings,
            catalog=catalog,
            ledger=ledger,
            lineage=lineage,
            config=alert_config(settings, catalog, lineage, flush_now, lineage_kept.removed(ledger)),
            now=now,
            clock=wall,
            lease=lease,
            instance=instance,
            observers=observers,
        )
        for stage in stages:
            _keep_lease(cycle)
            stage(cycle)
    cycle.report.seconds = time.monotonic() - began
    return cycle.report


def _keep_lease(cycle: Cycle) -> None:
    """Renew it, however long observing takes. Raises LeaseLost where another has taken over."""
    lease, ttl = cycle.lease, timedelta(seconds=LEASE_SECONDS)
    if (now := cycle.clock()) - lease.heartbeat_at < ttl / 3:
        return
    renewed = cycle.ledger.renew(lease, now, ttl)
    if renewed is None:
        raise LeaseLost(f"the lease {lease.name!r} went to another while this cycle ran")
    cycle.lease = renewed


def _take_lease(ledger: Ledger, now: datetime, holder: str) -> Lease | None:
    lease = ledger.acquire(LEASE, holder, now, timedelta(seconds=LEASE_SECONDS))
    if lease is not None:
        return lease
    held = ledger.lease(LEASE)
    process = Process.parse(held.holder) if held is not None else None
    if held is not None and process is not None and process.visible() and not process.alive():
        # It died on this machine: nothing can still be writing under its fence.
        ledger.release(held, now)
        return ledger.acquire(LEASE, holder, now, timedelta(seconds=LEASE_SECONDS))
    return None
