"""The life of an alert: pending, firing, held, resolved, forgotten. Several stages of a decision use these steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.rule import Rule
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Closed, Decision

# If an alert fires a second time, a repair may not have held. If it fires a third time within the flap window, it is
# flapping.
FLAPPING_FROM = 2


def truth(alert: Alert, rule: Rule) -> bool:
    """Whether the alert's rule is satisfied: any or all of its conditions hold, as the rule says."""
    indices = range(len(rule.conditions))
    test = any if rule.any else all
    return test(bool(alert.conditions.get(index)) for index in indices)


def fire(decision: Decision, alert: Alert, at: datetime) -> Alert:
    """Turn a pending alert into a firing one."""
    decision.note(alert.number, at, AlertReason.HELD_LONG_ENOUGH)
    return replace(alert, status=FIRING, fired_at=at)


def end(decision: Decision, alert: Alert, rule: Rule, at: datetime, config: AlertConfig) -> Alert:
    """Resolve the alert, because its condition is false. If its rule or its flapping demands it, hold the alert open
    for a while.
    """
    hold = max(rule.keep_firing_for, config.flap_hold if alert.flaps >= FLAPPING_FROM else timedelta())
    if not hold:
        return resolve(decision, alert, at)
    decision.note(alert.number, at, AlertReason.RESOLVE_HELD, f"until it has been well for {hold}")
    return replace(alert, clears_at=at + hold)


def resolve(
    decision: Decision, alert: Alert, at: datetime, why: str = "", reason: AlertReason = AlertReason.CONDITION_FALSE
) -> Alert:
    """Turn a firing alert into a resolved one."""
    decision.note(alert.number, at, reason, why)
    return replace(alert, status=RESOLVED, resolved_at=at, clears_at=None, updated_at=max(at, alert.updated_at))


def store(decision: Decision, alert: Alert) -> None:
    """Put the alert into the state and mark it as changed."""
    decision.state.alerts[alert.number] = alert
    decision.changed.add(alert.number)


def forget(decision: Decision, alert: Alert) -> None:
    """Remove an alert from the state, because nothing more is to be done about it."""
    state = decision.state
    state.alerts.pop(alert.number, None)
    if state.by_key.get(alert.key) == alert.number:
        del state.by_key[alert.key]
    if alert.fired_at is not None and alert.resolved_at is not None:
        state.closed[alert.key] = Closed(alert.resolved_at, alert.flaps)
    decision.final[alert.number] = alert
    decision.dropped.add(alert.number)
    decision.changed.discard(alert.number)


def forget_told(decision: Decision) -> None:
    """Remove the resolved alerts that no group contains any more."""
    memory = decision.look()
    for number in sorted(memory.alerts.resolved):
        if number not in memory.groups.of_alert:
            forget(decision, decision.state.alerts[number])
