"""Decides which firing alerts are silenced by another alert: by rule as in Alertmanager, and from the asset graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.model.alerting.route import GraphInhibition, InhibitRule
from ops_project.model.severity import RANK, at_least
from ops_project.operations.alerting.decide.causes import fits
from ops_project.operations.alerting.decide.reasons import AlertReason


def inhibited_by_rule(alerts: Sequence[Alert], rules: Sequence[InhibitRule]) -> dict[int, int]:
    """Number of a silenced alert (target) → number of the alert that silences it (source). An alert that matches both
    sides of a rule is silenced only by an alert that does not.
    """
    result: dict[int, int] = {}
    by_name: dict[str, list[tuple[int, Alert]]] = {}
    for place, alert in enumerate(alerts):
        by_name.setdefault(alert.labels.get("alertname", ""), []).append((place, alert))
    for rule in rules:
        sources: dict[tuple[str, ...], list[tuple[Alert, bool]]] = {}
        for alert in _named(by_name, rule.source_matchers):
            if alert.status == FIRING and all_match(rule.source_matchers, alert.labels):
                two_sided = all_match(rule.target_matchers, alert.labels)
                sources.setdefault(_equal(rule, alert), []).append((alert, two_sided))
        if not sources:
            continue
        for alert in _named(by_name, rule.target_matchers):
            if alert.number in result or not all_match(rule.target_matchers, alert.labels):
                continue
            on_source_side = all_match(rule.source_matchers, alert.labels)
            for source, two_sided in sources.get(_equal(rule, alert), ()):
                if not (on_source_side and two_sided):
                    result[alert.number] = source.number
                    break
    return result


def _named(by_name: Mapping[str, Sequence[tuple[int, Alert]]], matchers: Sequence[Matcher]) -> list[Alert]:
    """The alerts whose rule name these matchers accept, in their order. The caller checks the other labels."""
    asked = tuple(matcher for matcher in matchers if matcher.name == "alertname")
    found = [item for name, items in by_name.items() if all_match(asked, {"alertname": name}) for item in items]
    return [alert for _, alert in sorted(found, key=lambda item: item[0])]


def _equal(rule: InhibitRule, alert: Alert) -> tuple[str, ...]:
    return tuple(alert.labels.get(name, "") for name in rule.equal)


def subjects(alert: Alert) -> tuple[str, ...]:
    """The assets that an alert is about."""
    return alert.assets or ((alert.asset,) if alert.asset else ())


def inhibited_by_graph(alerts: Sequence[Alert], lineage: Lineage, config: GraphInhibition) -> dict[int, int]:
    """Symptom's number → number of the cause furthest upstream.

    A symptom is silent when each of its assets lies downstream of a firing cause that is at least as severe and can
    explain it. If a cause is itself a symptom, its own cause is used, so that one page lists all symptoms.
    """
    if not config.enabled:
        return {}
    causes: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.status == FIRING and len(subjects(alert)) == 1 and all_match(config.causes, alert.labels):
            causes.setdefault(subjects(alert)[0], []).append(alert)
    if not causes:
        return {}
    result: dict[int, int] = {}
    for alert in alerts:
        if alert.status != FIRING or not subjects(alert) or not all_match(config.symptoms, alert.labels):
            continue
        above = [
            [
                cause
                for key in lineage.ancestors(asset) & causes.keys()
                for cause in causes[key]
                if at_least(cause.severity, alert.severity) and fits(cause, alert)
            ]
            for asset in subjects(alert)
        ]
        if all(above):
            first = min(
                (cause for group in above for cause in group),
                key=lambda c: (_depth(c, lineage), -RANK[c.severity], c.number),
            )
            if first.number != alert.number:
                result[alert.number] = first.number
    return result


def _depth(alert: Alert, lineage: Lineage) -> int:
    return len(lineage.ancestors(subjects(alert)[0]))


def inhibitions(
    alerts: Iterable[Alert], rules: Sequence[InhibitRule], lineage: Lineage, graph: GraphInhibition
) -> dict[int, tuple[int, AlertReason]]:
    """Number of the silent alert → (number of the alert that silences it, why). The graph is asked first."""
    open_alerts = [alert for alert in alerts if alert.status == FIRING]
    if len(open_alerts) < 2:
        return {}
    result = {
        number: (cause, AlertReason.INHIBITED_BY_CAUSE)
        for number, cause in inhibited_by_graph(open_alerts, lineage, graph).items()
    }
    for number, source in inhibited_by_rule(open_alerts, rules).items():
        result.setdefault(number, (source, AlertReason.INHIBITED_BY_RULE))
    return result
