"""The life of an alert: pending, firing, held, resolved, forgotten. Several stages of a decision use these steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.model.alerting.alert import FIRING, RESOLVED, Alert
from ops_project.model.alerting.rule import Rule
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Closed, Decision

# Firing again once may be a repair that did not hold. Firing a third time within the flap window is a pattern.
FLAPPING_FROM = 2


def truth(alert: Alert, rule: Rule) -> bool:
    """Whether the alert's rule is satisfied: any or all of its conditions hold."""
    indices = range(len(rule.conditions))
    test = any if rule.any else all
    return test(bool(alert.conditions.get(index)) for index in indices)


def fire(decision: Decision, alert: Alert, at: datetime) -> Alert:
    """Pending → firing."""
    decision.note(alert.number, at, AlertReason.HELD_LONG_ENOUGH)
    return replace(alert, status=FIRING, fired_at=at)


def end(decision: Decision, alert: Alert, rule: Rule, at: datetime, config: AlertConfig) -> Alert:
    """The condition is false: resolve the alert, or hold it if its rule or its flapping demands that."""
    hold = max(rule.keep_firing_for, config.flap_hold if alert.flaps >= FLAPPING_FROM else timedelta())
    if not hold:
        return resolve(decision, alert, at)
    decision.note(alert.number, at, AlertReason.RESOLVE_HELD, f"until it has been well for {hold}")
    return replace(alert, clears_at=at + hold)


def resolve(
    decision: Decision, alert: Alert, at: datetime, why: str = "", reason: AlertReason = AlertReason.CONDITION_FALSE
) -> Alert:
    """Firing → resolved."""
    decision.note(alert.number, at, reason, why)
    return replace(alert, status=RESOLVED, resolved_at=at, clears_at=None, updated_at=max(at, alert.updated_at))


def store(decision: Decision, alert: Alert) -> None:
    """Put the alert into the state and mark it as changed."""
    decision.state.alerts[alert.number] = alert
    decision.changed.add(alert.number)


def forget(decision: Decision, alert: Alert) -> None:
    """Take a finished alert out of the state."""
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
    """Drop resolved alerts that no group holds any more."""
    memory = decision.look()
    for number in sorted(memory.alerts.resolved):
        if number not in memory.groups.of_alert:
            forget(decision, decision.state.alerts[number])
