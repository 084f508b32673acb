"""The cycle: observe → decide → record → notify. One process at a time runs it, under a lease.

Everything that is read is stored before the decision, and every decision is stored before a message is sent, so the
process may die at any point.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ops_project import failures
from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.operations.alerting import authority
from ops_project.operations.alerting.circumstances import Circumstances
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.evaluate import remember
from ops_project.operations.alerting.decide.grouping import Settled
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from ops_project.operations.alerting.delivery import Deliverer, DeliveryReport
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.alerting.lease_keeper import LeaseKeeper
from ops_project.operations.alerting.looks import PATIENCE_SECONDS, begin_or_wait, is_late
from ops_project.operations.alerting.observers.observer import Observer, View
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.alerting.tidy import tidy
from ops_project.operations.channels.registry import lacks, mask, secret_values, unconfigured
from ops_project.operations.diagnosis.evidence import EvidenceSource, Scene
from ops_project.operations.diagnosis.keep import keep
from ops_project.operations.incidents.message_links import with_links
from ops_project.operations.incidents.rota import paged_now
from ops_project.operations.incidents.stage import run as run_incidents
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger import lineage_document as lineage_kept
from ops_project.operations.ledger.leases import Lease, LeaseLost
from ops_project.operations.ledger.schedules_document import DOCUMENT as SCHEDULES
from ops_project.process import collector
from ops_project.process.kill_points import reach
from ops_project.process.processes import Process, current
from ops_project.settings import Settings

LEASE = "cycle"
DAEMON_BEAT = authority.beat_of(authority.DAEMON)
DOWN = "orchestrator.down"
HEARTBEAT_TIMEOUT = authority.HEARTBEAT_TIMEOUT
LEASE_SECONDS = 60
DECIDED = "decided"
LINEAGE = lineage_kept.DOCUMENT
SHOWN = "shown"
BATCH = 5000
# A batch becomes visible at most this long after it was loaded.
LONGEST_LOAD = timedelta(days=1)
# An observer that is late by this share of its interval looks in any case.
LATE = 0.5
_beats: dict[Any, datetime] = {}
"""Ledger → when this process's last cycle ended there."""
# By ledger: the groups of which this process knows that nothing is to be told. Another one looks for itself.
_settled: dict[str, dict[str, Settled]] = {}
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
    incidents: list[int] = field(default_factory=list)
    """Those that were opened or changed."""
    delivery: DeliveryReport = field(default_factory=DeliveryReport)
    observer_errors: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    """Observers that had not come back; what they saw counts in a later cycle."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Channel with messages that this process cannot send → what it lacks."""
    decided_by: str = ""
    """Where this process did not decide, or not under its own configuration: who does, or under which."""
    next_flush: datetime | None = None
    removed: int = 0
    """Rows that were old enough to leave the ledger."""
    seconds: float = 0.0

    def add(self, later: CycleReport) -> None:
        """Count what a cycle that followed in the same tick did."""
        self.signals += later.signals
        self.decided += later.decided
        self.fired += later.fired
        self.resolved += later.resolved
        self.delivery.delivered += later.delivery.delivered
        self.delivery.failed += later.delivery.failed
        self.delivery.dead += later.delivery.dead
        self.next_flush = later.next_flush


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
    evidence: Sequence[EvidenceSource] = ()
    """What is asked about an incident before its first page."""
    report: CycleReport = field(default_factory=CycleReport)
    keeper: LeaseKeeper | None = None
    noted: dict[str, str] = field(default_factory=dict)
    """Cursors that are written when the cycle ends, because nothing depends on them before."""
    hidden: Sequence[str] = ()
    """Values of secrets, which are not repeated."""

    def moved(self) -> None:
        """Report progress, so that the lease is kept. Raises LeaseLost if another process has taken over."""
        if self.keeper is not None:
            self.keeper.moved()
            self.lease = self.keeper.lease

    def without_secrets(self, text: str) -> str:
        return mask(text, self.hidden)


def observe(cycle: Cycle) -> None:
    """Run all observers; store their signals together with their cursors.

    An observer that fails or hangs stops no other.
    """
    cursors: Mapping[str, str] = cycle.ledger.cursors()
    for observer in _due(cycle, cursors):
        cycle.moved()
        try:
            cursors = _look(cycle, observer, cursors)
        except LeaseLost:
            raise
        except Exception as error:
            # Whatever goes wrong in one place is itself a signal: what it watches is unknown until it works again.
            words = cycle.without_secrets(f"{type(error).__name__}: {error}")
            cycle.report.observer_errors[observer.name] = words
            cursors = {**cursors, **_tell_failing(cycle, {observer.name: words}, set(), cursors)}
            continue
        if observer.every and not is_late(cycle.settings.ledger_url, observer):
            cycle.noted[f"looked:{observer.name}"] = cycle.now.isoformat()


def _look(cycle: Cycle, observer: Observer, cursors: Mapping[str, str]) -> Mapping[str, str]:
    """One observer, page by page. Returns the cursors after it. Raises what it raises."""
    # A process that comes back in a few seconds need not wait; one that does not waits as long as it may take.
    seconds = observer.hung_after.total_seconds() if cycle.config.flush_now else PATIENCE_SECONDS
    while True:
        view = View(cycle.settings, cycle.catalog, cycle.ledger, cycle.lineage, cursors, cycle.now, cycle.instance)
        seen = begin_or_wait(observer, view, seconds)
        if seen is None:
            cycle.report.late.append(observer.name)
            return cursors
        cycle.report.signals += cycle.ledger.append(seen.signals, seen.cursors, cycle.now)
        reach("cycle:observed")
        cycle.moved()
        cursors = {**cursors, **seen.cursors}
        failed = {f"{observer.name}: {part}": cycle.without_secrets(words) for part, words in seen.failed.items()}
        cycle.report.observer_errors |= failed
        well = {observer.name, *(f"{observer.name}: {part}" for part in seen.well)}
        cursors = {**cursors, **_tell_failing(cycle, failed, well, cursors)}
        if not seen.more:
            return cursors


def _tell_failing(
    cycle: Cycle, failed: Mapping[str, str], well: Collection[str], cursors: Mapping[str, str]
) -> dict[str, str]:
    """A signal for each observer, or part of an observer, that began or stopped failing."""
    changed = {f"failing:{name}": "1" for name in failed if cursors.get(f"failing:{name}") != "1"}
    changed |= {f"failing:{name}": "" for name in well if cursors.get(f"failing:{name}") == "1"}
    if changed:
        signals = [
            _observer_signal(
                cycle, name.partition(":")[2], FIRING if firing else OK, failed.get(name.partition(":")[2], "")
            )
            for name, firing in changed.items()
        ]
        cycle.ledger.append(signals, changed, cycle.now)
    return changed


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


def _observer_signal(cycle: Cycle, name: str, state: str, words: str) -> Signal:
    return Signal(
        kind="observer.failure",
        state=state,
        value=float(state == FIRING),
        event_at=cycle.now,
        observed_at=cycle.now,
        occurrence=cycle.now.isoformat(),
        check=name,
        message=words,
        failure_class="code_error",
    )


def decide_and_record(cycle: Cycle) -> None:
    """Read the signals that no cycle has decided on; write the decisions and messages, in one transaction each."""
    with collector.held_up():
        _decide(cycle)


def _decide(cycle: Cycle) -> None:
    cursor = int(cycle.ledger.cursor(DECIDED) or 0)
    batch = cycle.ledger.signals_after(cursor, BATCH)
    ledger, config = cycle.ledger, cycle.config
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
    known = decision.state.settled
    _settled[cycle.settings.ledger_url] = {key: known[key] for key in known if key in decision.state.groups}
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
    state.settled = dict(_settled.get(cycle.settings.ledger_url, {}))
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
    cycle.moved()
    lease = cycle.lease
    state = decision.state
    progress = {DECIDED: str(cursor), "routes_version": state.routes_version, "rules_version": state.rules_version}
    cycle.report.queued += cycle.ledger.record(decision, progress, cycle.now, lease.fenced)
    reach("cycle:recorded")


def incidents(cycle: Cycle) -> None:
    """Turn alerts into incidents and run the escalation ladders.

    The messages are in the outbox before any of them is sent.
    """
    if cycle.decision is None:
        return
    done = run_incidents(
        cycle.ledger,
        cycle.catalog,
        cycle.config,
        lineage=cycle.lineage,
        alerts=list(cycle.decision.state.alerts.values()),
        now=cycle.now,
        lease=cycle.lease.fenced,
    )
    cycle.report.queued += done.queued
    cycle.report.incidents = done.changed
    if done.changed and cycle.evidence:
        scene = Scene(cycle.settings, cycle.catalog, cycle.ledger, cycle.lineage, cycle.now, ())
        try:
            keep(scene, done.changed, cycle.evidence)
        except LeaseLost:
            raise
        except Exception as error:
            # A page without evidence is better than none.
            cycle.report.observer_errors["evidence"] = cycle.without_secrets(f"{type(error).__name__}: {error}")
        cycle.moved()
    reach("cycle:incidents")


def notify(cycle: Cycle) -> None:
    """Send what is due."""
    if not cycle.ledger.waiting():
        return
    # Where the clock that decides is ahead of the wall, as in a rehearsal of tomorrow, what it wrote is due now.
    receivers = cycle.catalog.receivers.receivers
    owners = cycle.catalog.owners
    circumstances = Circumstances(cycle.settings, cycle.catalog, cycle.ledger, cycle.now)
    deliverer = Deliverer(
        cycle.ledger,
        receivers,
        cycle.settings,
        cycle.lease.fenced,
        prepare=lambda message: with_links(circumstances.told_in(message), cycle.ledger, cycle.settings, owners),
    )
    # What needs a secret that is not here waits for a process that has it, and uses no attempt up.
    lacking = unconfigured(receivers, cycle.settings)
    cycle.report.delivery = deliverer.deliver(lambda: max(cycle.clock(), cycle.now), without=lacking)
    if lacking and cycle.config.flush_now:
        # For a person, or a job's output: a daemon's own messages that wait are an alert.
        waiting = cycle.ledger.channels_waiting()
        cycle.report.waiting = {name: lacks(lacking[name]) for name in sorted(waiting & lacking.keys())}


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


def tidy_up(cycle: Cycle) -> None:
    """Delete old records."""
    cycle.report.removed = tidy(
        cycle.ledger, cycle.catalog, int(cycle.ledger.cursor(DECIDED) or 0), cycle.now, cycle.moved
    )


Stage = Callable[[Cycle], None]
STAGES: tuple[Stage, ...] = (observe, decide_and_record, incidents, notify, show, tidy_up)


def daemon_beats(ledger: Ledger, now: datetime) -> bool:
    """Whether another process runs the cycle and decides. `now`: the wall clock, which its heartbeat is of."""
    return authority.alive(ledger, now, LEASE) is not None


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
    evidence: Sequence[EvidenceSource] = (),
    holder: str | None = None,
    flush_now: bool = False,
    daemon: bool = False,
    role: str = "",
    take_over: bool = False,
    stages: Sequence[Stage] = STAGES,
) -> CycleReport:
    """One cycle. Where another process decides, it observes only, and the report says who does.

    `lineage`: the asset graph, else the one that was kept. `clock`: the wall clock, for leases and deliveries; in a
    replay `now` stands still. `flush_now`: send at once what a daemon would send after its group's wait. `daemon`: this
    is the orchestrator's own cycle, whose heartbeat `ops watch` looks for. `role`: else what this process is, a shell
    or a watcher. `take_over`: this configuration becomes the recorded one.
    """
    began = time.monotonic()
    wall = clock or (lambda: now + timedelta(seconds=time.monotonic() - began))
    failures.install(catalog.failure_classes)
    ledger = open_ledger(settings)
    role = role or (authority.DAEMON if daemon else authority.SHELL)
    name = holder or str(current())
    with ExitStack() as held:
        turn = _turns[settings.ledger_url, name]
        if not turn.acquire(blocking=False):
            return CycleReport(skipped="this process runs the cycle already")
        held.callback(turn.release)
        held.enter_context(ledger.answers.keeping())

        def only_look(why: str) -> CycleReport:
            graph = lineage if lineage is not None else lineage_kept.recall(ledger)
            view = View(settings, catalog, ledger, graph, ledger.cursors(), now, instance)
            return _only_look(view, observers, why)

        if role == authority.SHELL and not take_over:
            deciding = authority.alive(ledger, wall(), LEASE)
            if deciding is not None:
                return only_look(authority.describe(deciding))
        lease = _take_lease(ledger, wall(), name)
        if lease is None:
            return only_look("another process runs the cycle")
        noted: dict[str, str] = {}
        # Also where another has it by now: only what is still ours is given back.
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
            noted |= _ended(ledger, role, wall())
    cycle.report.seconds = time.monotonic() - began
    return cycle.report


def _only_look(view: View, observers: Sequence[Observer], why: str) -> CycleReport:
    """What a process does that may not decide: it stores the observations that are the same under every
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
            # Whoever decides looks as well, and tells it where it fails there.
            report.observer_errors[observer.name] = f"{type(error).__name__}: {error}"
    return report


def _ended(ledger: Ledger, role: str, now: datetime) -> dict[str, str]:
    """The cursor that is the heartbeat. It means that a cycle ended.

    The orchestrator's says that it is not down, whoever said so before.
    """
    last = _beats.get(ledger.engine.url)
    if role == authority.DAEMON and (last is None or abs(now - last) > HEARTBEAT_TIMEOUT / 2):
        # Nobody calls a daemon down whose cycles end in time.
        before = next(iter(ledger.latest(DOWN).values()), None)
        if before is not None and before.state == FIRING:
            ledger.append([down_signal(False, now, "the orchestrator's cycle ended")], now=now)
    _beats[ledger.engine.url] = now
    return {authority.beat_of(role): now.isoformat()}


def down_signal(down: bool, now: datetime, words: str) -> Signal:
    """That the orchestrator is down, or not."""
    return Signal(
        kind=DOWN,
        state=FIRING if down else OK,
        value=float(down),
        event_at=now,
        observed_at=now,
        occurrence=now.isoformat(),
        message=words,
        failure_class="orchestrator_down",
        owners=("team:infrastructure",),
    )


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
