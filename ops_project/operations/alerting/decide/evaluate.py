"""Signals → alerts: conditions, for-durations, holding and flapping. Knows nothing of who is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.model.alerting.alert import FIRING, PENDING, RESOLVED, Alert
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.rule import IDENTITY, Condition, Rule
from ops_project.model.alerting.signal import OK, Signal, digest
from ops_project.operations.alerting.decide import windows
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Closed, Decision, State

# A third time within the flap window is a pattern; before that it may be one repair that did not hold.
FLAPPING_FROM = 2
DATES = "dates"


def evaluate(decision: Decision, signals: Iterable[Signal], config: AlertConfig) -> None:
    """Apply each signal in order."""
    state = decision.state
    for signal in signals:
        entries = config.by_metric.get(signal.kind)
        if entries:
            labels: dict[str, str] | None = None
            for name, rule, index, condition in entries:
                labels = labels or _labels(signal, config)
                _apply(decision, state, config, signal, labels, name, rule, index, condition)


def key_of(name: str, rule: Rule, labels: Mapping[str, str]) -> str:
    """What makes an alert one alert. Unless the rule says otherwise that is a signal's own subject: the asset,
    whichever
    job reported it, or the pipeline where there is no asset."""
    if rule.by == IDENTITY:
        subject = labels.get("asset") or f"pipeline:{labels.get('pipeline', '')}"
        return digest(name, subject, labels.get("partition", ""), labels.get("check", ""))
    return digest(name, *(labels.get(label, "") for label in rule.by))


def remember(state: State, signal: Signal, config: AlertConfig) -> None:
    """Fill the windows with a signal that has been decided on already."""
    for name, rule, index, condition in config.by_metric.get(signal.kind, ()):
        if condition.aggregate == "last":
            continue
        labels = _labels(signal, config)
        held = state.windows.setdefault((name, index, key_of(name, rule, labels)), [])
        if signal.state == OK and config.metrics[condition.metric].type == "state":
            held.clear()
        elif all_match(condition.match, labels):
            held.append(windows.reading(signal))


def _labels(signal: Signal, config: AlertConfig) -> dict[str, str]:
    labels = signal.labelset()
    if signal.asset and (facts := config.lineage.assets.get(signal.asset)) is not None:
        for label, value in (("domain", facts.domain), ("layer", facts.layer), ("tier", facts.tier)):
            if value:
                labels.setdefault(label, value)
    return labels


def _apply(
    decision: Decision,
    state: State,
    config: AlertConfig,
    signal: Signal,
    labels: Mapping[str, str],
    name: str,
    rule: Rule,
    index: int,
    condition: Condition,
) -> None:
    matched = not condition.match or all_match(condition.match, labels)
    key = key_of(name, rule, labels)
    number = state.by_key.get(key)
    alert = state.alerts.get(number) if number is not None else None
    if condition.aggregate == "last":
        source = signal.fingerprint if alert is not None else ""
        value = windows.value_of(signal)
        if (
            value is not None
            and condition.window is not None
            and signal.event_at <= signal.observed_at - condition.window
        ):
            value = None
        truth = windows.holds(condition, value)
        if truth is None:
            return
        truth = truth and matched
    else:
        if not matched and signal.state != OK:
            return
        source = "window"
        held = state.windows.setdefault((name, index, key), [])
        if signal.state == OK and config.metrics[condition.metric].type == "state":
            held.clear()
            truth, value = False, 0.0
        else:
            assert condition.window is not None
            held[:] = [r for r in held if r.at > signal.event_at - condition.window]
            held.append(windows.reading(signal))
            value = windows.aggregate(condition, held, signal.event_at)
            known = windows.holds(condition, value)
            if known is None:
                return
            truth = known
    if truth:
        _became_true(
            decision, state, config, signal, labels, name, rule, index, key, value, source or signal.fingerprint
        )
    elif alert is not None:
        _became_false(decision, alert, rule, index, source, signal.event_at, config)


def _became_true(
    decision: Decision,
    state: State,
    config: AlertConfig,
    signal: Signal,
    labels: Mapping[str, str],
    name: str,
    rule: Rule,
    index: int,
    key: str,
    value: float | None,
    source: str,
) -> None:
    at = signal.event_at
    number = state.by_key.get(key)
    alert = state.alerts.get(number) if number is not None else None
    if alert is not None and alert.status == RESOLVED:
        assert alert.resolved_at is not None
        if at <= alert.resolved_at and alert.updated_at > at:
            return
        alert = replace(
            alert,
            status=PENDING,
            resolved_at=None,
            clears_at=None,
            starts_at=at,
            fired_at=None,
            conditions={},
            acknowledged_at=None,
            acknowledged_by="",
            acknowledged_note="",
            flaps=alert.flaps + (at - alert.resolved_at <= config.flap_window),
        )
        decision.note(alert.number, at, AlertReason.FIRED_AGAIN, f"{alert.flaps} times within the flap window")
    elif alert is None:
        before = state.closed.get(key)
        if before is not None and at < before.resolved_at:
            return
        flaps = before.flaps + 1 if before is not None and at - before.resolved_at <= config.flap_window else 0
        alert = Alert(
            number=state.next_number,
            key=key,
            rule=name,
            status=PENDING,
            severity=rule.severity,
            labels={},
            starts_at=at,
            updated_at=at,
            flaps=flaps,
        )
        state.next_number += 1
        state.by_key[key] = alert.number
        if flaps:
            decision.note(alert.number, at, AlertReason.FIRED_AGAIN, f"{flaps} times within the flap window")
    was_true = _truth(alert, rule)
    held = alert.conditions.get(index, frozenset())
    if source not in held:
        alert = replace(alert, conditions={**alert.conditions, index: held | {source}})
    is_true = _truth(alert, rule)
    if is_true and not was_true:
        if alert.clears_at is not None:
            alert = replace(alert, clears_at=None, flaps=alert.flaps + 1)
            decision.note(alert.number, at, AlertReason.FLAPPING, f"{alert.flaps} times within the flap window")
        else:
            alert = replace(alert, starts_at=at)
            decision.note(alert.number, at, AlertReason.CONDITION_TRUE, _shown(rule.conditions[index], value))
    owners = signal.owners or config.lineage.get(signal.asset).owners or _stands_in(rule, labels, config)
    assets = signal.assets or alert.assets
    metric = config.metrics[signal.kind]
    found = signal.failure_class or alert.failure_class or rule.failure_class or metric.failure_class or "unknown"
    alert = replace(
        alert,
        labels=_with_dates(alert.labels, labels) if alert.labels else _alert_labels(name, rule, labels, owners),
        updated_at=max(at, alert.updated_at),
        value=value,
        message=signal.message or alert.message,
        owners=tuple(dict.fromkeys((*alert.owners, *owners))),
        assets=assets,
        run_id=signal.run_id or alert.run_id,
        batch_id=signal.batch_id or alert.batch_id,
        failure_class=found,
        evidence_ref=signal.evidence_ref or alert.evidence_ref,
        summary=_summary(rule, found, labels, shown_value(value, rule.conditions[index], metric.unit)),
    )
    if is_true and alert.status == PENDING and rule.hold <= timedelta():
        alert = _fire(decision, alert, at)
    _store(decision, alert)


def _became_false(
    decision: Decision, alert: Alert, rule: Rule, index: int, source: str, at: datetime, config: AlertConfig
) -> None:
    held = alert.conditions.get(index, frozenset())
    if source not in held or at < alert.updated_at:
        return
    was_true = _truth(alert, rule)
    alert = replace(alert, conditions={**alert.conditions, index: held - {source}})
    if was_true and not _truth(alert, rule):
        if alert.status == PENDING and rule.hold and at - alert.starts_at >= rule.hold:
            alert = _fire(decision, alert, alert.starts_at + rule.hold)
        if alert.status == FIRING:
            hold = max(rule.keep_firing_for, config.flap_hold if alert.flaps >= FLAPPING_FROM else timedelta())
            if hold:
                decision.note(alert.number, at, AlertReason.RESOLVE_HELD, f"until it has been well for {hold}")
                alert = replace(alert, clears_at=at + hold)
            else:
                alert = _resolve(decision, alert, at)
    if alert.status == PENDING and not any(alert.conditions.values()):
        decision.note(alert.number, at, AlertReason.CONDITION_FALSE, "before its for-duration had passed")
        _forget(decision, replace(alert, status=RESOLVED, resolved_at=at))
        return
    _store(decision, alert)


def advance(decision: Decision, config: AlertConfig, now: datetime) -> None:
    """Let time pass: windows slide, for-durations end, held alerts resolve, flaps are forgotten."""
    state = decision.state
    for alert in list(state.alerts.values()):
        rule = config.rules.get(alert.rule)
        if alert.status == RESOLVED:
            continue
        if rule is None or not rule.enabled:
            alert = replace(alert, conditions={})
            _store(decision, _resolve(decision, alert, now, "its rule is gone") if alert.status == FIRING else alert)
            if alert.status == PENDING:
                _forget(decision, replace(alert, status=RESOLVED, resolved_at=now))
            continue
        for index, condition in enumerate(rule.conditions):
            if condition.aggregate != "last" and "window" in alert.conditions.get(index, ()):
                if config.metrics[condition.metric].type == "state":
                    continue
                readings = state.windows.get((alert.rule, index, alert.key), [])
                if windows.holds(condition, windows.aggregate(condition, readings, now)) is not True:
                    _became_false(decision, alert, rule, index, "window", now, config)
                    alert = state.alerts.get(alert.number, alert)
        if alert.number not in state.alerts:
            continue
        if alert.status == PENDING and _truth(alert, rule) and now - alert.starts_at >= rule.hold:
            alert = _fire(decision, alert, alert.starts_at + rule.hold)
            _store(decision, alert)
        if alert.status == FIRING and alert.clears_at is not None and alert.clears_at <= now:
            _store(decision, _resolve(decision, alert, alert.clears_at))
    for key, closed in list(state.closed.items()):
        if now - closed.resolved_at > config.flap_window:
            del state.closed[key]


def _truth(alert: Alert, rule: Rule) -> bool:
    indices = range(len(rule.conditions))
    test = any if rule.any else all
    return test(bool(alert.conditions.get(index)) for index in indices)


def _fire(decision: Decision, alert: Alert, at: datetime) -> Alert:
    decision.note(alert.number, at, AlertReason.HELD_LONG_ENOUGH)
    return replace(alert, status=FIRING, fired_at=at)


def _resolve(decision: Decision, alert: Alert, at: datetime, why: str = "") -> Alert:
    decision.note(alert.number, at, AlertReason.CONDITION_FALSE, why)
    return replace(alert, status=RESOLVED, resolved_at=at, clears_at=None, updated_at=max(at, alert.updated_at))


def _store(decision: Decision, alert: Alert) -> None:
    decision.state.alerts[alert.number] = alert
    decision.changed.add(alert.number)


def _forget(decision: Decision, alert: Alert) -> None:
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
    held = {number for group in decision.state.groups.values() for number in group.members}
    for alert in list(decision.state.alerts.values()):
        if alert.status == RESOLVED and alert.number not in held:
            _forget(decision, alert)


def _alert_labels(name: str, rule: Rule, labels: Mapping[str, str], owners: tuple[str, ...]) -> dict[str, str]:
    identity = {"alertname": name, "severity": rule.severity, "category": rule.category}
    result = {**labels, **rule.labels, **identity}
    if owners:
        result["owner"] = owners[0]
    return result


def _stands_in(rule: Rule, labels: Mapping[str, str], config: AlertConfig) -> tuple[str, ...]:
    """Of what is about no asset: the team that the rule names, the first owner of the pipeline's domain, or whoever
    takes what is nobody's."""
    team = f"team:{rule.labels.get('team', '')}"
    if config.owners.resolve(team) is not None:
        return (team,)
    for name in (labels.get("pipeline", ""), labels.get("domain", "")):
        if name in config.primary_owners:
            return (config.owners.dagster(config.primary_owners[name]),)
    return (config.owners.dagster(config.owners.otherwise),) if config.owners.otherwise else ()


def _with_dates(kept: Mapping[str, str], seen: Mapping[str, str]) -> Mapping[str, str]:
    """The labels an alert began with, and every date that it complained of since: a verdict is about all of them."""
    if not (new := seen.get(DATES)) or new == kept.get(DATES):
        return kept
    dates = {*new.split(","), *kept.get(DATES, new).split(",")}
    return {**kept, DATES: ",".join(sorted(dates))}


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def _summary(rule: Rule, failure_class: str, labels: Mapping[str, str], shown: str) -> str:
    title = next((words for name, words in rule.titles.items() if name == failure_class), rule.title)
    return title.format_map(_Blank({**labels, "value": shown}))


def shown_value(value: float | None, condition: Condition, unit: str) -> str:
    """A value as people say it: 2 h 5 min, 25 %, 3.1 GB."""
    if value is None:
        return "unknown"
    if condition.aggregate == "count":
        return f"{value:g}"
    if condition.aggregate == "ratio" or unit == "ratio":
        return f"{value:.1%}".replace(".0%", "%").replace("%", " %")
    if unit == "seconds":
        hours, rest = divmod(round(value), 3600)
        minutes, seconds = divmod(rest, 60)
        return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"
    if unit == "percent":
        return f"{value:.1f} %".replace(".0 ", " ")
    if unit == "bytes":
        return human_bytes(value)
    return f"{value:g}"


def human_bytes(value: float) -> str:
    """1.5 GB; decimal units, as disks are sold."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while abs(value) >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.3g} {units[0]}"


def _shown(condition: Condition, value: float | None) -> str:
    window = f" in {condition.window}" if condition.window else ""
    shown = "unknown" if value is None else f"{value:g}"
    return f"{condition.metric} {condition.aggregate}{window} = {shown} {condition.op} {condition.threshold:g}"
