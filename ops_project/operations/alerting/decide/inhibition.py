"""Decides which firing alerts are silenced by another alert: by a rule, as in Alertmanager, or by the asset graph."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import FIRING, Alert
from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.model.alerting.route import GraphInhibition, InhibitRule
from ops_project.model.severity import RANK, at_least
from ops_project.operations.alerting.decide.causes import fits
from ops_project.operations.alerting.decide.reasons import AlertReason

Key = TypeVar("Key")
Equal = tuple[str, ...]
"""The values of the labels that the source and the target of a rule must share."""


class Inhibitions:
    """The alerts that other alerts silence. If an alert changes, only the alerts that it may silence are
    decided again.
    """

    def __init__(self, rules: Sequence[InhibitRule], lineage: Lineage, graph: GraphInhibition) -> None:
        self.found: dict[int, tuple[int, AlertReason]] = {}
        """Number of the silent alert → (number of the alert that silences it, the reason). The asset graph takes
        precedence over the rules.
        """
        self._rules, self._lineage, self._graph = rules, lineage, graph
        self._firing: dict[int, Alert] = {}
        self._causes: dict[str, set[int]] = {}
        """Asset → its alerts that may be the cause of others downstream."""
        self._symptoms: dict[str, set[int]] = {}
        """Asset → its alerts that may be symptoms of others upstream."""
        self._sources: list[dict[Equal, list[int]]] = [{} for _ in rules]
        """For each rule: the alerts on its source side, the oldest first."""
        self._targets: list[dict[Equal, set[int]]] = [{} for _ in rules]
        self._roles: dict[str, tuple[list[int], list[int]]] = {}
        """Name of an alert's rule → the inhibition rules whose source side, and those whose target side, may take its
        alerts.
        """

    def update(self, alerts: Mapping[int, Alert | None]) -> set[int]:
        """Take over the present form of these alerts; None means that an alert no longer exists. Returns the numbers of
        all alerts that were decided again.
        """
        again = set(alerts)
        most = len(alerts) * 4 > len(self._firing)
        for number, alert in alerts.items():
            before = self._firing.get(number)
            now = alert if alert is not None and alert.status == FIRING else None
            if before is not None and now is not None and _same(before, now):
                self._firing[number] = now
                continue
            if before is not None:
                again |= self._concerned(before, most)
                self._leave(before)
            if now is not None:
                self._enter(now)
                again |= self._concerned(now, most)
        if most:
            again |= self._firing.keys()
        for number in again:
            self._decide(number)
        return again

    def _enter(self, alert: Alert) -> None:
        self._firing[alert.number] = alert
        for rule, equal in self._as_source(alert):
            insort(self._sources[rule].setdefault(equal, []), alert.number)
        for rule, equal in self._as_target(alert):
            self._targets[rule].setdefault(equal, set()).add(alert.number)
        if (asset := self._as_cause(alert)) is not None:
            self._causes.setdefault(asset, set()).add(alert.number)
        for asset in self._as_symptom(alert):
            self._symptoms.setdefault(asset, set()).add(alert.number)

    def _leave(self, alert: Alert) -> None:
        del self._firing[alert.number]
        for rule, equal in self._as_source(alert):
            numbers = self._sources[rule][equal]
            del numbers[bisect_left(numbers, alert.number)]
            if not numbers:
                del self._sources[rule][equal]
        for rule, equal in self._as_target(alert):
            _discard(self._targets[rule], equal, alert.number)
        if (asset := self._as_cause(alert)) is not None:
            _discard(self._causes, asset, alert.number)
        for asset in self._as_symptom(alert):
            _discard(self._symptoms, asset, alert.number)

    def _concerned(self, alert: Alert, most: bool) -> set[int]:
        """The alerts that this alert may silence. `most`: nearly all alerts are decided again in any case, so they are
        not collected.
        """
        found: set[int] = set()
        if most:
            return found
        if (asset := self._as_cause(alert)) is not None:
            for below in self._lineage.descendants(asset) & self._symptoms.keys():
                found |= self._symptoms[below]
        for rule, equal in self._as_source(alert):
            found |= self._targets[rule].get(equal, set())
        return found

    def _as_cause(self, alert: Alert) -> str | None:
        assets = subjects(alert)
        fit = self._graph.enabled and len(assets) == 1 and all_match(self._graph.causes, alert.labels)
        return assets[0] if fit else None

    def _as_symptom(self, alert: Alert) -> frozenset[str]:
        fit = self._graph.enabled and all_match(self._graph.symptoms, alert.labels)
        return frozenset(subjects(alert)) if fit else frozenset()

    def _as_source(self, alert: Alert) -> Iterable[tuple[int, Equal]]:
        for number in self._roles_of(alert)[0]:
            if all_match(self._rules[number].source_matchers, alert.labels):
                yield number, _equal(self._rules[number], alert)

    def _as_target(self, alert: Alert) -> Iterable[tuple[int, Equal]]:
        for number in self._roles_of(alert)[1]:
            if all_match(self._rules[number].target_matchers, alert.labels):
                yield number, _equal(self._rules[number], alert)

    def _roles_of(self, alert: Alert) -> tuple[list[int], list[int]]:
        name = alert.labels.get("alertname", "")
        found = self._roles.get(name)
        if found is None:
            sources = [n for n, rule in enumerate(self._rules) if _takes(rule.source_matchers, name)]
            targets = [n for n, rule in enumerate(self._rules) if _takes(rule.target_matchers, name)]
            found = self._roles[name] = sources, targets
        return found

    def _decide(self, number: int) -> None:
        alert = self._firing.get(number)
        if alert is not None and (cause := self._by_graph(alert)) is not None:
            self.found[number] = cause, AlertReason.INHIBITED_BY_CAUSE
        elif alert is not None and (source := self._by_rule(alert)) is not None:
            self.found[number] = source, AlertReason.INHIBITED_BY_RULE
        else:
            self.found.pop(number, None)

    def _by_graph(self, alert: Alert) -> int | None:
        """The number of the alert that explains this one by the asset graph; None if there is none.

        The alert is a symptom if each of its assets lies downstream of a firing alert that is at least as severe and
        can explain it. Among these causes, the one furthest upstream is chosen. So symptoms of symptoms have the same
        cause, and one page lists them all.
        """
        if not self._causes:
            return None
        found: list[Alert] = []
        assets = self._as_symptom(alert)
        for asset in assets:
            above = [
                cause
                for key in self._lineage.ancestors(asset) & self._causes.keys()
                for cause in map(self._firing.__getitem__, self._causes[key])
                if at_least(cause.severity, alert.severity) and fits(cause, alert)
            ]
            if not above:
                return None
            found += above
        if not found:
            return None
        first = min(found, key=lambda c: (self._depth(c), -RANK[c.severity], c.number))
        return first.number if first.number != alert.number else None

    def _by_rule(self, alert: Alert) -> int | None:
        """The number of the alert that silences this one by a rule; None if there is none. If an alert matches both
        sides of a rule, only an alert that does not match both sides can silence it.
        """
        for number, equal in self._as_target(alert):
            rule = self._rules[number]
            sources = self._sources[number].get(equal, ())
            on_source_side = bool(sources) and all_match(rule.source_matchers, alert.labels)
            for source in sources:
                if not (on_source_side and all_match(rule.target_matchers, self._firing[source].labels)):
                    return source
        return None

    def _depth(self, alert: Alert) -> int:
        return len(self._lineage.ancestors(subjects(alert)[0]))


def inhibited_by_rule(alerts: Iterable[Alert], rules: Sequence[InhibitRule]) -> dict[int, int]:
    """Number of a silenced alert (target) → number of the alert that silences it (source). Only rules are used, and not
    the asset graph.
    """
    inhibitions = Inhibitions(rules, Lineage(), GraphInhibition(enabled=False))
    inhibitions.update({alert.number: alert for alert in alerts})
    return {number: source for number, (source, _) in inhibitions.found.items()}


def subjects(alert: Alert) -> tuple[str, ...]:
    """The assets that an alert is about."""
    return alert.assets or ((alert.asset,) if alert.asset else ())


def _equal(rule: InhibitRule, alert: Alert) -> Equal:
    return tuple(alert.labels.get(name, "") for name in rule.equal)


def _takes(matchers: Sequence[Matcher], name: str) -> bool:
    """Whether these matchers accept alerts of the rule `name`."""
    return all_match(tuple(matcher for matcher in matchers if matcher.name == "alertname"), {"alertname": name})


def _same(before: Alert, after: Alert) -> bool:
    """Whether both forms of an alert silence the same alerts, and are silenced by the same alerts."""
    return (
        before.severity == after.severity
        and before.failure_class == after.failure_class
        and before.starts_at == after.starts_at
        and before.run_id == after.run_id
        and before.assets == after.assets
        and before.labels == after.labels
    )


def _discard(held: dict[Key, set[int]], key: Key, number: int) -> None:
    numbers = held[key]
    numbers.discard(number)
    if not numbers:
        del held[key]
