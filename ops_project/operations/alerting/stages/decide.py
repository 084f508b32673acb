"""The second stage: decides about the new signals. Each decision is stored, together with its messages, before any
message is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.decide.announce import needed_beside
from ops_project.operations.alerting.decide.decide import decide
from ops_project.operations.alerting.decide.evaluate import remember
from ops_project.operations.alerting.decide.memory import Memory
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State
from ops_project.operations.alerting.stages.under_way import Cycle
from ops_project.process import collector
from ops_project.process.kill_points import reach

DECIDED = "decided"
# Each batch writes the levels of all its series. For 100,000 signals about 2,000 series in batches of 5,000, this took
# 0.18 s of CPU.
BATCH = 20_000
# The longest time between the loading of a batch and the moment at which its signals become visible.
LONGEST_LOAD = timedelta(days=1)
# URL of the ledger → what this process remembers of its state. A decision takes the memory out. So two threads never
# share it, and a decision that fails leaves nothing behind.
_memories: dict[str, Memory] = {}


def decide_and_record(cycle: Cycle) -> None:
    """Decide about the signals that no cycle has decided on. Each batch of signals is recorded in one transaction, with
    its decisions and messages.
    """
    with collector.held_up():
        _decide(cycle)


def _decide(cycle: Cycle) -> None:
    cursor = int(cycle.ledger.cursor(DECIDED) or 0)
    ledger, config = cycle.ledger, cycle.config
    batch = _next_batch(cycle, cursor)
    state = _load_state(cycle, cursor, batch)
    before = state.alerts
    changed: set[int] = set()
    while len(batch) == BATCH:
        # No message is sent before the whole backlog has been read, because a symptom may come before its cause.
        decision = decide(state, batch, config, cycle.now, tell=False)
        cursor = batch[-1].seq
        _record(cycle, decision, cursor)
        state = decision.state
        changed |= decision.changed
        cycle.report.decided += len(batch)
        batch = _next_batch(cycle, cursor)
        ledger.load_levels(state, config, _series(batch))
    decision = decide(state, batch, config, cycle.now)
    cursor = batch[-1].seq if batch else cursor
    if batch or not decision.empty:
        _record(cycle, decision, cursor)
    _memories[cycle.settings.ledger_url] = decision.state.memory
    cycle.report.decided += len(batch)
    cycle.decision = decision
    cycle.report.next_flush = decision.next_flush
    for number in sorted({*changed, *decision.changed, *decision.final}):
        alert = decision.final.get(number) or decision.state.alerts.get(number)
        known = before[number].status if number in before else ""
        if alert is not None and alert.fired_at is not None and known not in ("firing", "resolved"):
            cycle.report.fired.append(number)
        if alert is not None and alert.status == "resolved" and alert.fired_at is not None and known != "resolved":
            cycle.report.resolved.append(number)


def _next_batch(cycle: Cycle, cursor: int) -> list[Signal]:
    return [signal for _, signal in cycle.ledger.signals_after(cursor, BATCH)]


def _load_state(cycle: Cycle, decided: int, news: Sequence[Signal]) -> State:
    """The state, with everything that can influence the decision. It needs the levels of the series that have new
    signals; if the rules have changed, the levels of all series. It also needs the windows of new signals and of open
    alerts, because windows move with time.
    """
    ledger, config = cycle.ledger, cycle.config
    state = ledger.load_state(config, cycle.now)
    state.memory = _memories.pop(cycle.settings.ledger_url, state.memory)
    if state.rules_version != config.version:
        ledger.load_levels(state, config)
    elif news:
        ledger.load_levels(state, config, _series(news))
    # A batch can become visible long after it was loaded. The windows must reach back to its signals.
    earliest = max(min([cycle.now, *(signal.event_at for signal in news)]), cycle.now - LONGEST_LOAD)
    by_window: dict[timedelta, list[str]] = {}
    for kind, window in (config.windowed() if news else _sliding(state, config)).items():
        by_window.setdefault(window, []).append(kind)
    for window, kinds in by_window.items():
        for _, signal in ledger.signals_since(earliest - window, kinds, up_to=decided):
            remember(state, signal, config)
    return state


def _series(news: Sequence[Signal]) -> list[str]:
    """Fingerprints of the series whose levels these signals need."""
    return [*(signal.fingerprint for signal in news), *needed_beside(news)]


def _sliding(state: State, config: AlertConfig) -> dict[str, timedelta]:
    known = state.memory.alerts
    known.compare(state.alerts)
    rules = {state.alerts[number].rule for number in known.windowed}
    metrics = {c.metric for name in rules if name in config.rules for c in config.rules[name].conditions}
    return {metric: window for metric, window in config.windowed().items() if metric in metrics}


def _record(cycle: Cycle, decision: Decision, cursor: int) -> None:
    cycle.moved()
    lease = cycle.lease
    state = decision.state
    progress = {DECIDED: str(cursor), "routes_version": state.routes_version, "rules_version": state.rules_version}
    cycle.report.queued += cycle.ledger.record(decision, progress, cycle.now, lease.fenced)
    reach("cycle:recorded")
