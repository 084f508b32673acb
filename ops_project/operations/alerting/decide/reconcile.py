"""Compares the open alerts with the present rules, levels and subjects. Usually only signals change a level, and the
alerts follow each signal at once. So this full comparison is needed only if the rules or the asset graph have changed
since the last decision.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.model.alerting.alert import FIRING, PENDING, RESOLVED, Alert
from ops_project.model.alerting.rule import Rule
from ops_project.operations.alerting.decide import lifecycle
from ops_project.operations.alerting.decide.conditions import alert_labels, became_false, key_of, raise_for
from ops_project.operations.alerting.decide.levels import UNKNOWN, holds, labels_of, speaker
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Decision
from ops_project.operations.alerting.decide.subjects import gone
from ops_project.operations.alerting.decide.windows import WINDOW


def reconcile(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Close the alerts that are not true under the present configuration, and open those that are true."""
    state = decision.state
    if state.rules_version == config.version:
        return
    state.rules_version = config.version
    decision.reconciled = True
    for alert in list(state.alerts.values()):
        rule = config.rules.get(alert.rule)
        if alert.status != RESOLVED and rule is not None and rule.enabled:
            _reconcile_open(decision, config, alert, rule, now)
    for fingerprint, level in list(state.levels.items()):
        for signal in level.candidates:
            for watched in config.by_metric.get(signal.kind, ()):
                name, rule, index, condition = watched
                if condition.aggregate != "last" or not holds(signal, condition, config.lineage):
                    continue
                labels = labels_of(signal, config.lineage)
                number = state.by_key.get(key_of(name, rule, labels, signal))
                known = state.alerts.get(number) if number is not None else None
                if known is None or known.status == RESOLVED or fingerprint not in known.conditions.get(index, ()):
                    raise_for(decision, config, watched, signal, labels=labels, source=fingerprint)


def _reconcile_open(decision: Decision, config: AlertConfig, alert: Alert, rule: Rule, now: datetime) -> None:
    state = decision.state
    if why := gone(alert.labels, config):
        alert = replace(alert, conditions={})
        if alert.status == FIRING:
            lifecycle.store(decision, lifecycle.resolve(decision, alert, now, why, AlertReason.SUBJECT_GONE))
        else:
            lifecycle.forget(decision, replace(alert, status=RESOLVED, resolved_at=now))
        return
    owner = (alert.labels["owner"],) if "owner" in alert.labels else ()
    labels = alert_labels(alert.rule, rule, alert.labels, owner)
    if (rule.severity, labels) != (alert.severity, alert.labels):
        alert = replace(alert, severity=rule.severity, labels=labels)
        lifecycle.store(decision, alert)
    for index, held in sorted(alert.conditions.items()):
        for source in sorted(held):
            current = state.alerts.get(alert.number)
            if current is None or current.status not in (PENDING, FIRING):
                return
            if index >= len(rule.conditions):
                _drop(decision, config, current, rule, index=index, source=source, now=now)
                continue
            condition = rule.conditions[index]
            if (source == WINDOW) != (condition.aggregate != "last"):
                _drop(decision, config, current, rule, index=index, source=source, now=now)
            elif source != WINDOW and (level := state.levels.get(source, UNKNOWN)) is not UNKNOWN:
                found = speaker(level, condition, config.lineage, state.dismissed.get(source))
                if found is None or key_of(alert.rule, rule, labels_of(found, config.lineage), found) != alert.key:
                    _drop(decision, config, current, rule, index=index, source=source, now=now)


def _drop(
    decision: Decision, config: AlertConfig, alert: Alert, rule: Rule, *, index: int, source: str, now: datetime
) -> None:
    """Treat a condition that the rule no longer has as false."""
    became_false(decision, config, alert, rule, index=index, source=source, at=now)
    kept = decision.state.alerts.get(alert.number)
    if kept is not None and index >= len(rule.conditions):
        conditions = {i: held for i, held in kept.conditions.items() if i < len(rule.conditions)}
        if kept.status == FIRING and not lifecycle.truth(replace(kept, conditions=conditions), rule):
            kept = lifecycle.end(decision, kept, rule, now, config)
        lifecycle.store(decision, replace(kept, conditions=conditions))
