"""Applies the effects of time: windows move on, for-durations end, held alerts are resolved, and flaps are
forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, PENDING, RESOLVED
from ops_project.operations.alerting.decide import lifecycle, windows
from ops_project.operations.alerting.decide.conditions import became_false
from ops_project.operations.alerting.decide.levels import window_name
from ops_project.operations.alerting.decide.state import AlertConfig, Decision
from ops_project.operations.alerting.decide.windows import WINDOW


def advance(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Apply the changes that time alone causes, up to `now`."""
    state, memory = decision.state, decision.look()
    # If the configuration has changed, a rule may no longer exist or may be disabled.
    numbers = memory.alerts.timed | memory.alerts.news_for("advance")
    for alert in [state.alerts[number] for number in sorted(numbers & state.alerts.keys())]:
        if alert.status == RESOLVED:
            continue
        rule = config.rules.get(alert.rule)
        if rule is None or not rule.enabled:
            alert = replace(alert, conditions={})
            if alert.status == FIRING:
                lifecycle.store(decision, lifecycle.resolve(decision, alert, now, "its rule no longer exists"))
            else:
                lifecycle.forget(decision, replace(alert, status=RESOLVED, resolved_at=now))
            continue
        for index, condition in enumerate(rule.conditions):
            if WINDOW not in alert.conditions.get(index, ()) or config.metrics[condition.metric].type == "state":
                continue
            if condition.aggregate != "count":
                # As long as no new reading comes, the last one counts. Only a better reading or a person ends such an
                # alert.
                continue
            readings = state.windows.get((alert.rule, index, alert.key), [])
            dismissed = state.dismissed.get(window_name(alert.rule, index, alert.key))
            known = [r for r in readings if dismissed is None or r.at > dismissed]
            if windows.holds(condition, windows.aggregate(condition, known, now)) is not True:
                became_false(decision, config, alert, rule, index=index, source=WINDOW, at=now)
                alert = state.alerts.get(alert.number, alert)
        if alert.number not in state.alerts:
            continue
        if alert.status == PENDING and lifecycle.truth(alert, rule) and now - alert.starts_at >= rule.hold:
            alert = lifecycle.fire(decision, alert, alert.starts_at + rule.hold)
            lifecycle.store(decision, alert)
        if alert.status == FIRING and alert.clears_at is not None and alert.clears_at <= now:
            lifecycle.store(decision, lifecycle.resolve(decision, alert, alert.clears_at))
    for key, closed in list(state.closed.items()):
        if now - closed.resolved_at > config.flap_window:
            del state.closed[key]
