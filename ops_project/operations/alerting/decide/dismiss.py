"""Applies a person's statement that an alert is over. The statement is valid until a newer failing signal comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, RESOLVED
from ops_project.operations.alerting.decide import lifecycle
from ops_project.operations.alerting.decide.levels import window_name
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import Decision
from ops_project.operations.alerting.decide.windows import WINDOW


def close_by_hand(decision: Decision, now: datetime) -> None:
    """Close the alerts that people have resolved, and dismiss the levels that kept them open."""
    state = decision.state
    for number, given in list(state.resolutions.items()):
        if given.taken_at is not None:
            continue
        state.resolutions[number] = replace(given, taken_at=now)
        decision.resolutions_changed.add(number)
        alert = state.alerts.get(number)
        if alert is None or alert.status == RESOLVED:
            continue  # The alert has ended since the person made the statement.
        # In a rehearsal, signals may have later times than the person's clock.
        moment = max(given.at, alert.updated_at)
        for index, held in alert.conditions.items():
            for source in held:
                name = window_name(alert.rule, index, alert.key) if source == WINDOW else source
                state.dismissed[name] = moment
                decision.dismissed_changed.add(name)
        alert = replace(alert, conditions={})
        if alert.status == FIRING:
            said = f"{given.by}: {given.why}"
            lifecycle.store(decision, lifecycle.resolve(decision, alert, moment, said, AlertReason.RESOLVED_BY_HAND))
        else:
            decision.note(number, moment, AlertReason.RESOLVED_BY_HAND, f"{given.by}: {given.why}")
            lifecycle.forget(decision, replace(alert, status=RESOLVED, resolved_at=moment))
