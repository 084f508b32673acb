"""Opens an alert when a condition holds, describes it, and ends it when the condition no longer holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ops_project.counted import counted
from ops_project.model.alerting.alert import FIRING, PENDING, RESOLVED, Alert
from ops_project.model.alerting.rule import IDENTITY, Rule
from ops_project.model.alerting.signal import Signal, digest
from ops_project.model.finding import LOADED
from ops_project.operations.alerting.decide import dates, lifecycle, windows
from ops_project.operations.alerting.decide.reasons import AlertReason
from ops_project.operations.alerting.decide.state import AlertConfig, Decision, Watched
from ops_project.operations.alerting.decide.subjects import gone
from ops_project.operations.alerting.decide.windows import WINDOW
from ops_project.operations.alerting.decide.wording import shown_condition, shown_value, summary

# Labels that say what the alert is about. A later signal never changes them, but it may change all other labels.
_SUBJECT = frozenset({"asset", "pipeline", "check", "domain", "layer", "tier", "kind", "feed", "sla", "team", "owner"})
_OURS = frozenset({dates.DATES, "sla_at_risk"})


def key_of(name: str, rule: Rule, labels: Mapping[str, str], signal: Signal) -> str:
    """The key that identifies an alert. Unless the rule says otherwise, it is made from the subject of the signal: the
    asset (whichever job has reported it), or the pipeline if the signal names no asset.
    """
    if rule.by == IDENTITY:
        subject = labels.get("asset") or f"pipeline:{labels.get('pipeline', '')}"
        return digest(name, subject, signal.partition, labels.get("check", ""))
    return digest(name, *(labels.get(label, "") for label in rule.by))


def raise_for(
    decision: Decision,
    config: AlertConfig,
    watched: Watched,
    signal: Signal,
    *,
    labels: Mapping[str, str],
    source: str,
    value: float | None = None,
) -> None:
    """A condition holds because of `signal`: open the alert, or keep it open.

    `labels`: the labels of the signal and of its asset. `source`: the fingerprint of the series; or WINDOW, and then
    `value` is the value of the window.
    """
    if gone(labels, config):
        return
    state = decision.state
    if source != WINDOW:
        dismissed = state.dismissed.get(source)
        if dismissed is not None and signal.event_at <= dismissed:
            return
        value = windows.value_of(signal)
    at = signal.event_at
    rule, index = watched.rule, watched.position
    alert = _opened(decision, config, watched, key=key_of(watched.name, rule, labels, signal), at=at)
    was_true = lifecycle.truth(alert, rule)
    held = alert.conditions.get(index, frozenset())
    if source not in held:
        alert = _joined(decision, alert, rule, signal)
        alert = replace(alert, conditions={**alert.conditions, index: held | {source}})
        decision.made_true(source, alert.number)
    is_true = lifecycle.truth(alert, rule)
    if is_true and not was_true:
        if alert.clears_at is not None:
            alert = replace(alert, clears_at=None, flaps=alert.flaps + 1)
            decision.note(
                alert.number, at, AlertReason.FLAPPING, f"{counted(alert.flaps, 'time')} within the flap window"
            )
        else:
            alert = replace(alert, starts_at=at)
            decision.note(alert.number, at, AlertReason.CONDITION_TRUE, shown_condition(watched.condition, value))
    alert = _described(alert, config, watched, signal, labels=labels, value=value)
    if is_true and alert.status == PENDING and rule.hold <= timedelta():
        alert = lifecycle.fire(decision, alert, at)
    lifecycle.store(decision, alert)


def _joined(decision: Decision, alert: Alert, rule: Rule, signal: Signal) -> Alert:
    """If an open alert now concerns a further date, let it be sent again. Otherwise an old failure would hide the new
    one.
    """
    if alert.status != FIRING or not dates.collects(rule) or signal.partition in ("", *dates.of(alert.labels)):
        return alert
    decision.joined.add(alert.number)
    decision.note(alert.number, signal.event_at, AlertReason.FURTHER_DATE, signal.partition)
    return replace(alert, acknowledged_at=None, acknowledged_by="", acknowledged_note="")


def _opened(decision: Decision, config: AlertConfig, watched: Watched, *, key: str, at: datetime) -> Alert:
    """The alert with this key. If there is none, or if it has ended, it begins as pending."""
    state, rule = decision.state, watched.rule
    number = state.by_key.get(key)
    alert = state.alerts.get(number) if number is not None else None
    if alert is not None and alert.status != RESOLVED:
        return alert
    flaps = 0
    if alert is not None:
        assert alert.resolved_at is not None
        flaps = alert.flaps + (timedelta() <= at - alert.resolved_at <= config.flap_window)
        if not rule.hold:
            decision.note(alert.number, at, AlertReason.FIRED_AGAIN, f"{counted(flaps, 'time')} within the flap window")
            return replace(
                alert,
                labels=dates.labelled(alert.labels, ()) if dates.collects(rule) else alert.labels,
                status=PENDING,
                severity=rule.severity,
                resolved_at=None,
                clears_at=None,
                starts_at=at,
                fired_at=None,
                conditions={},
                acknowledged_at=None,
                acknowledged_by="",
                acknowledged_note="",
                suspect=None,
                flaps=flaps,
            )
        # The end of the earlier alert must still be sent, even if this one never fires. So this one is a new alert.
    elif (before := state.closed.get(key)) is not None and timedelta() <= at - before.resolved_at <= config.flap_window:
        flaps = before.flaps + 1
    alert = Alert(
        number=state.next_number,
        key=key,
        rule=watched.name,
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
        decision.note(alert.number, at, AlertReason.FIRED_AGAIN, f"{counted(flaps, 'time')} within the flap window")
    return alert


def _described(
    alert: Alert,
    config: AlertConfig,
    watched: Watched,
    signal: Signal,
    *,
    labels: Mapping[str, str],
    value: float | None,
) -> Alert:
    """The alert, updated with a signal."""
    rule = watched.rule
    owners = signal.owners or config.lineage.get(signal.asset).owners or _stands_in(rule, labels, config)
    metric = config.metrics[signal.kind]
    found = signal.failure_class or rule.failure_class or metric.failure_class or alert.failure_class or "unknown"
    days = _days(alert, rule, signal)
    shown = shown_value(value, watched.condition, metric.unit)
    if signal.event_at < alert.updated_at and alert.labels:
        # This signal is older than the one that describes the alert: it was read late. It adds owners and dates, and
        # changes nothing else.
        alert = replace(alert, owners=tuple(dict.fromkeys((*alert.owners, *owners))))
        if not days:
            return alert
        said = summary(rule, alert.failure_class, alert.labels, shown, days)
        return replace(alert, labels=dates.labelled(alert.labels, days), summary=said)
    made = alert_labels(watched.name, rule, labels, owners)
    if alert.status == FIRING and LOADED not in alert.labels:
        # Another file of this alert was loaded only in part, so the alert no longer has this label.
        made.pop(LOADED, None)
    followed = _followed(alert.labels, made, rule, signal) if alert.labels else made
    return replace(
        alert,
        labels=dates.labelled(followed, days) if days else followed,
        updated_at=signal.event_at,
        value=value,
        message=signal.message or alert.message,
        owners=tuple(dict.fromkeys((*alert.owners, *owners))),
        assets=signal.assets or alert.assets,
        run_id=signal.run_id or alert.run_id,
        batch_id=signal.batch_id or alert.batch_id,
        failure_class=found,
        evidence_ref=signal.evidence_ref or alert.evidence_ref,
        summary=summary(rule, found, labels, shown, days),
    )


def _days(alert: Alert, rule: Rule, signal: Signal) -> tuple[str, ...]:
    """The dates that the alert is about, including the date of this signal. Empty if the rule makes one alert for each
    date.
    """
    if not dates.collects(rule) or not signal.partition:
        return ()
    return tuple(sorted({*dates.of(alert.labels), signal.partition}))


def became_false(
    decision: Decision, config: AlertConfig, alert: Alert, rule: Rule, *, index: int, source: str, at: datetime
) -> None:
    """A condition is no longer true for one series, or for its window. Other series may still make it true."""
    held = alert.conditions.get(index, frozenset())
    if source not in held:
        return
    was_true = lifecycle.truth(alert, rule)
    alert = replace(alert, conditions={**alert.conditions, index: held - {source}})
    if was_true and not lifecycle.truth(alert, rule):
        # The alert ended when its last series became ok. In which order the signals were read does not matter.
        at = max(at, alert.updated_at)
        if alert.status == PENDING and rule.hold and at - alert.starts_at >= rule.hold:
            alert = lifecycle.fire(decision, alert, alert.starts_at + rule.hold)
        if alert.status == FIRING:
            alert = lifecycle.end(decision, alert, rule, at, config)
    if alert.status == PENDING and not any(alert.conditions.values()):
        decision.note(alert.number, at, AlertReason.CONDITION_FALSE, "before its for-duration had passed")
        lifecycle.forget(decision, replace(alert, status=RESOLVED, resolved_at=at))
        return
    lifecycle.store(decision, alert)


def alert_labels(name: str, rule: Rule, labels: Mapping[str, str], owners: tuple[str, ...]) -> dict[str, str]:
    """The labels of an alert: those of the signal, and over them the labels that the rule gives to all its alerts."""
    identity = {"alertname": name, "severity": rule.severity, "category": rule.category}
    result = {**labels, **rule.labels, **identity}
    if owners:
        result["owner"] = owners[0]
    return result


def _followed(kept: Mapping[str, str], seen: Mapping[str, str], rule: Rule, signal: Signal) -> Mapping[str, str]:
    """The labels of an open alert after a new signal. A label of its subject keeps its first value, and any other label
    takes the newest value. Every reported date is kept, because a verdict is about all of them.
    """
    fixed = (_SUBJECT | set(rule.by) | _OURS) - (
        {"partition"} if not signal.partition and rule.by == IDENTITY else set()
    )
    result = {name: value for name, value in kept.items() if name in fixed}
    result |= {name: value for name, value in seen.items() if name not in fixed or name not in kept}
    if dates.DATES in seen and dates.DATES in kept:
        result[dates.DATES] = ",".join(sorted({*seen[dates.DATES].split(","), *kept[dates.DATES].split(",")}))
    return kept if result == kept else result


def _stands_in(rule: Rule, labels: Mapping[str, str], config: AlertConfig) -> tuple[str, ...]:
    """The owners of an alert whose signal names none: the team that the rule names, or else those that the definition
    of the job, schedule or sensor names, or else the first owner of the pipeline's domain, or else the owners of what
    the job builds, or else the default owner.
    """
    team = f"team:{rule.labels.get('team', '')}"
    if config.owners.resolve(team) is not None:
        return (team,)
    subject = labels.get("pipeline", "") or labels.get("check", "")
    if not labels.get("asset") and (stated := config.lineage.stated.get(subject)):
        return stated
    for name in (labels.get("pipeline", ""), labels.get("domain", "")):
        if name in config.primary_owners:
            return (config.owners.dagster(config.primary_owners[name]),)
    if not labels.get("asset") and (implied := config.lineage.implied.get(subject)):
        return implied
    return (config.owners.dagster(config.owners.otherwise),) if config.owners.otherwise else ()
