"""Applies signals to levels, and decides which conditions are true for which series. It knows nothing about
receivers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.model.alerting.alert import RESOLVED
from ops_project.model.alerting.matcher import all_match
from ops_project.model.alerting.rule import Rule
from ops_project.model.alerting.signal import OK, Signal
from ops_project.operations.alerting.decide import dates, lifecycle, windows
from ops_project.operations.alerting.decide.clock import believed_until
from ops_project.operations.alerting.decide.conditions import became_false, key_of, raise_for
from ops_project.operations.alerting.decide.levels import (
    UNKNOWN,
    fold,
    holds,
    labels_of,
    speaker,
    window_name,
    without_later,
)
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, State, Watched
from ops_project.operations.alerting.decide.windows import WINDOW
from ops_project.operations.alerting.decide.wording import shown_value, summary


class _Kind:
    """What `evaluate` needs to know about the metric of a signal."""

    __slots__ = ("entries", "levelled", "type")

    def __init__(self, metric_type: str, entries: Sequence[Watched]) -> None:
        self.type, self.entries = metric_type, entries
        self.levelled = metric_type != "event" or any(watched.condition.aggregate == "last" for watched in entries)


def evaluate(decision: Decision, signals: Iterable[Signal], config: AlertConfig, now: datetime) -> None:
    """Apply each signal to its level, and update the alerts.

    Stored signals with a time after `now` are ignored, except when the new signal itself has a time after `now`.
    """
    state = decision.state
    believed = believed_until(now)
    kinds = {name: _Kind(metric.type, config.by_metric.get(name, ())) for name, metric in config.metrics.items()}
    levels = state.levels
    for signal in signals:
        kind = kinds.get(signal.kind)
        if kind is None:
            continue
        fingerprint = signal.fingerprint
        entries = kind.entries
        changed = False
        value = windows.value_of(signal)
        if kind.levelled:
            latest = signal.event_at if signal.event_at > believed else believed
            if state.dismissed:
                _bound_word(decision, fingerprint, signal, latest)
            before = without_later(levels.get(fingerprint, UNKNOWN), latest)
            after = fold(before, signal, kind.type)
            changed = after is not before
            if changed:
                levels[fingerprint] = after
                decision.levels_changed.add(fingerprint)
                if decision.alerts_of(fingerprint):
                    follow(decision, config, fingerprint, signal)
                if state.dismissed:
                    _outlive(decision, fingerprint)
        labels: dict[str, str] | None = None
        for watched in entries:
            condition = watched.condition
            if condition.aggregate == "last":
                # This comparison comes first, because it costs least and few signals pass it.
                if not changed or not windows.holds(condition, value):
                    continue
                if not holds(signal, condition, config.lineage):
                    continue
                labels = labels or labels_of(signal, config.lineage)
                raise_for(decision, config, watched, signal, labels=labels, source=fingerprint)
            else:
                labels = labels or labels_of(signal, config.lineage)
                _slide(decision, config, watched, signal, labels=labels, now=now)


def remember(state: State, signal: Signal, config: AlertConfig) -> None:
    """Fill the windows with a signal that an earlier cycle has already decided on."""
    for name, rule, index, condition in config.by_metric.get(signal.kind, ()):
        if condition.aggregate == "last":
            continue
        labels = labels_of(signal, config.lineage)
        held = state.windows.setdefault((name, index, key_of(name, rule, labels, signal)), [])
        if signal.state == OK and config.metrics[condition.metric].type == "state":
            held.clear()
        elif all_match(condition.match, labels):
            held.append(windows.reading(signal))


def follow(decision: Decision, config: AlertConfig, fingerprint: str, signal: Signal) -> None:
    """Update the alerts that a series has raised. `signal` has just changed the level of the series."""
    state = decision.state
    level = state.levels[fingerprint]
    for number in sorted(decision.alerts_of(fingerprint)):
        for index in sorted(state.alerts[number].conditions if number in state.alerts else ()):
            alert = state.alerts.get(number)
            rule = config.rules.get(alert.rule) if alert is not None else None
            if alert is None or rule is None or fingerprint not in alert.conditions.get(index, ()):
                continue
            if index >= len(rule.conditions):
                continue
            condition = rule.conditions[index]
            if condition.window is not None and signal.event_at <= signal.observed_at - condition.window:
                continue
            found = speaker(level, condition, config.lineage, state.dismissed.get(fingerprint))
            if found is None or key_of(alert.rule, rule, labels_of(found, config.lineage), found) != alert.key:
                became_false(decision, config, alert, rule, index=index, source=fingerprint, at=signal.event_at)
                _without_date(decision, config, number=number, rule=rule, index=index, signal=signal)


def _without_date(
    decision: Decision, config: AlertConfig, *, number: int, rule: Rule, index: int, signal: Signal
) -> None:
    """Remove the date for which `signal` is ok from an alert about several dates. The alert stays open for its other
    dates.
    """
    alert = decision.state.alerts.get(number)
    if alert is None or alert.status == RESOLVED or not dates.collects(rule):
        return
    left = tuple(day for day in dates.of(alert.labels) if day != signal.partition)
    if not left or left == dates.of(alert.labels):
        return
    value = shown_value(alert.value, rule.conditions[index], config.metrics[signal.kind].unit)
    labels = dates.labelled(alert.labels, left)
    said = summary(rule, alert.failure_class, labels, value, left)
    message = "" if signal.partition in alert.message else alert.message
    lifecycle.store(decision, replace(alert, labels=labels, summary=said, message=message))


def _bound_word(decision: Decision, name: str, signal: Signal, latest: datetime) -> None:
    """If a person's statement has a time after `latest`, limit it to the time just before `signal`."""
    moment = decision.state.dismissed.get(name)
    if moment is not None and moment > latest:
        decision.state.dismissed[name] = signal.event_at - timedelta.resolution
        decision.dismissed_changed.add(name)


def _outlive(decision: Decision, fingerprint: str) -> None:
    """Forget a person's statement about a series as soon as every signal of the series' level is newer."""
    state = decision.state
    moment = state.dismissed.get(fingerprint)
    if moment is not None and all(s.event_at > moment for s in state.levels[fingerprint].signals):
        del state.dismissed[fingerprint]
        decision.dismissed_changed.add(fingerprint)


def _slide(
    decision: Decision,
    config: AlertConfig,
    watched: Watched,
    signal: Signal,
    *,
    labels: Mapping[str, str],
    now: datetime,
) -> None:
    """Add a reading to a window. The window ends at its newest reading, whatever the order in which the readings
    arrive.
    """
    state = decision.state
    name, rule, index, condition = watched
    is_state = config.metrics[condition.metric].type == "state"
    if not all_match(condition.match, labels) and signal.state != OK:
        return
    key = key_of(name, rule, labels, signal)
    number = state.by_key.get(key)
    alert = state.alerts.get(number) if number is not None else None
    held = state.windows.setdefault((name, index, key), [])
    if signal.state == OK and is_state:
        held.clear()
        if alert is not None:
            became_false(decision, config, alert, rule, index=index, source=WINDOW, at=signal.event_at)
        return
    assert condition.window is not None
    held.append(windows.reading(signal))
    latest = max(believed_until(now), signal.event_at)
    _bound_word(decision, window_name(name, index, key), signal, latest)
    dismissed = state.dismissed.get(window_name(name, index, key))
    end = max(reading.at for reading in held if reading.at <= latest)
    held[:] = [r for r in held if end - condition.window < r.at <= end and (dismissed is None or r.at > dismissed)]
    value = windows.aggregate(condition, held, end)
    truth = windows.holds(condition, value)
    if truth:
        raise_for(decision, config, watched, signal, labels=labels, source=WINDOW, value=value)
    elif truth is False and alert is not None and end >= alert.updated_at:
        became_false(decision, config, alert, rule, index=index, source=WINDOW, at=end)
