"""The decision of one cycle, as a list of stages. State, signals, configuration and time go in; state, actions and
reasons come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, PENDING
from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.decide.acknowledge import take_up, tell_pagers
from ops_project.operations.alerting.decide.advance import advance
from ops_project.operations.alerting.decide.announce import announce_successes, remind_of_silences
from ops_project.operations.alerting.decide.clock import bound
from ops_project.operations.alerting.decide.dismiss import close_by_hand
from ops_project.operations.alerting.decide.dispatch import dispatch
from ops_project.operations.alerting.decide.evaluate import evaluate
from ops_project.operations.alerting.decide.lifecycle import forget_told
from ops_project.operations.alerting.decide.mute import mark_sla_risk, mute
from ops_project.operations.alerting.decide.notify import flush
from ops_project.operations.alerting.decide.reconcile import reconcile
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State


def decide(state: State, signals: Sequence[Signal], config: AlertConfig, now: datetime, tell: bool = True) -> Decision:
    """Decide about `signals` at `now`. `tell`: False while a backlog is still being read. Then no message is made,
    because a symptom could be sent before its cause has been read.
    """
    decision = Decision(state.copy())
    decision.begin(config, now)
    bound(decision, config, now)
    evaluate(decision, signals, config, now)
    announce_successes(decision, signals, config)
    if not tell:
        return decision
    close_by_hand(decision, now)
    reconcile(decision, config, now)
    advance(decision, config, now)
    mark_sla_risk(decision, config)
    mute(decision, config, now)
    take_up(decision, now)
    dispatch(decision, config, now)
    flush(decision, config, now)
    tell_pagers(decision, config, now)
    remind_of_silences(decision, config, now)
    forget_told(decision)
    decision.next_flush = _next(decision, config)
    return decision


def _next(decision: Decision, config: AlertConfig) -> datetime | None:
    state, memory = decision.state, decision.look()
    settled = memory.groups.settled
    times = [state.groups[key].next_flush for key in settled.unsettled]
    times += settled.next_looks()
    for number in memory.alerts.timed:
        alert = state.alerts[number]
        if alert.status == PENDING and alert.rule in config.rules:
            times.append(alert.starts_at + config.rules[alert.rule].hold)
        if alert.status == FIRING and alert.clears_at is not None:
            times.append(alert.clears_at)
    return min(times, default=None)
