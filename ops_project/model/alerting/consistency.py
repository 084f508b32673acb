"""Checks that the alerting files agree with each other. The checks report names that are not declared, rules that
cannot fire or that contradict each other, and routes that no alert reaches. Every problem has the number of its line.
The module reads no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from ops_project.model.alerting.calendar import Calendar
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.metric import Metrics
from ops_project.model.alerting.receiver import Receivers
from ops_project.model.alerting.recipient import wrong_recipient
from ops_project.model.alerting.route import Route, Routes
from ops_project.model.alerting.rule import Condition, Rule, Rules
from ops_project.model.alerting.sla import Slas
from ops_project.model.document import ConfigProblem, Document, Loc
from ops_project.model.failure_class import FAILURE_CLASSES
from ops_project.model.owner import Owners
from ops_project.model.severity import SEVERITIES


def check_rules(document: Document, rules: Rules, metrics: Metrics) -> list[ConfigProblem]:
    """Checks that metrics exist, that conditions can be true, and that no two rules have the same conditions."""
    problems: list[ConfigProblem] = []
    said: dict[tuple[object, ...], tuple[str, Rule]] = {}
    for name, rule in rules.rules.items():
        key = "any" if rule.any else "all"
        for index, condition in enumerate(rule.conditions):
            loc: Loc = ("rules", name, key, index)
            problems += document.dangling(
                (*loc, "metric"), f"rule {name!r}: metric", condition.metric, list(metrics.metrics)
            )
            metric = metrics.metrics.get(condition.metric)
            if metric is None:
                continue
            if condition.aggregate == "last" and metric.type == "event":
                problems.append(
                    document.problem(
                        loc, f"rule {name!r}: {condition.metric} is an event; give an aggregate and a window"
                    )
                )
            if not _reachable(condition, metric.minimum, metric.maximum, metric.type):
                low = "no lower end" if metric.minimum is None else f"{metric.minimum:g}"
                high = "no upper end" if metric.maximum is None else f"{metric.maximum:g}"
                if metric.type == "state":
                    low, high = "0", "1"
                problems.append(
                    document.problem(
                        (*loc, "threshold"),
                        f"rule {name!r} can never fire: {condition.metric} {condition.op} {condition.threshold:g}, and "
                        f"its values go from {low} to {high}",
                    )
                )
        if rule.all and (pair := _contradiction(rule.all)):
            problems.append(
                document.problem(("rules", name, "all"), f"rule {name!r} can never fire: {pair} exclude each other")
            )
        if rule.enabled:
            signature = (key, tuple(sorted(map(repr, rule.conditions))), tuple(sorted(rule.by)), rule.hold)
            if signature in said:
                other, first = said[signature]
                text = f"rule {name!r} has the conditions of rule {other!r}"
                if first.severity != rule.severity:
                    text += f" and another severity ({rule.severity}, there {first.severity})"
                problems.append(document.problem(("rules", name), text + "; keep one"))
            said.setdefault(signature, (name, rule))
    return problems


def _reachable(condition: Condition, minimum: float | None, maximum: float | None, kind: str) -> bool:
    if condition.aggregate in ("count", "sum"):
        never_below_zero = condition.aggregate == "count" or kind == "state" or (minimum is not None and minimum >= 0)
        minimum, maximum = (0.0 if never_below_zero else None), None
    elif kind == "state":
        minimum, maximum = 0.0, 1.0
    threshold, op = condition.threshold, condition.op
    if op in (">", ">=") and maximum is not None:
        return maximum > threshold or (op == ">=" and maximum == threshold)
    if op in ("<", "<=") and minimum is not None:
        return minimum < threshold or (op == "<=" and minimum == threshold)
    if op == "==":
        return (minimum is None or threshold >= minimum) and (maximum is None or threshold <= maximum)
    return True


def _contradiction(conditions: Sequence[Condition]) -> str | None:
    for index, one in enumerate(conditions):
        for other in conditions[index + 1 :]:
            if (one.metric, one.aggregate, one.window, one.match) != (
                other.metric,
                other.aggregate,
                other.window,
                other.match,
            ):
                continue
            low = next((c for c in (one, other) if c.op in (">", ">=")), None)
            high = next((c for c in (one, other) if c.op in ("<", "<=")), None)
            if (
                low
                and high
                and (
                    low.threshold > high.threshold
                    or (low.threshold == high.threshold and (low.op == ">" or high.op == "<"))
                )
            ):
                return f"{low.op} {low.threshold:g} and {high.op} {high.threshold:g}"
    return None


def check_routes(
    document: Document, routes: Routes, receivers: Receivers, calendar: Calendar, rules: Rules
) -> list[ConfigProblem]:
    """Checks that receivers and intervals exist, and that the root takes every alert at every time. Only critical
    alerts may reach a receiver that pages. No route may take all alerts of a later sibling.
    """
    problems: list[ConfigProblem] = []
    root = routes.route
    if root.receiver is None:
        problems.append(document.problem(("route",), "the root route needs a receiver"))
    if root.matchers:
        problems.append(document.problem(("route", "matchers"), "the root route takes every alert and has no matchers"))
    if root.mute_time_intervals or root.active_time_intervals:
        problems.append(
            document.problem(("route",), "the root route has no time intervals: every alert must have a place")
        )
    for loc, route in _walk(root, ("route",)):
        if route.receiver is not None:
            problems += document.dangling((*loc, "receiver"), "receiver", route.receiver, list(receivers.receivers))
            receiver = receivers.receivers.get(route.receiver)
            if receiver is not None and receiver.page and not _only_critical(route):
                problems.append(
                    document.problem(
                        loc,
                        f'receiver {route.receiver!r} pages, and this route lets more through than severity="critical"',
                    )
                )
        for kind in ("mute_time_intervals", "active_time_intervals"):
            for name in getattr(route, kind):
                problems += document.dangling((*loc, kind), "time interval", name, list(calendar.time_intervals))
        problems += [problem for m in route.matchers for problem in _matcher(document, (*loc, "matchers"), m, rules)]
        for index, child in enumerate(route.routes):
            for before in range(index):
                earlier = route.routes[before]
                if not earlier.continue_ and covers(earlier.matchers, child.matchers):
                    line = document.line(*loc, "routes", before)
                    problems.append(
                        document.problem(
                            (*loc, "routes", index),
                            f"nothing reaches this route: the one on line {line} takes all its alerts and ends there",
                        )
                    )
                    break
    for index, rule in enumerate(routes.inhibit_rules):
        for kind in ("source_matchers", "target_matchers"):
            for matcher in getattr(rule, kind):
                problems += _matcher(document, ("inhibit_rules", index, kind), matcher, rules)
    for kind in ("causes", "symptoms"):
        for matcher in getattr(routes.graph_inhibition, kind):
            problems += _matcher(document, ("graph_inhibition", kind), matcher, rules)
    return problems


def _walk(route: Route, loc: Loc) -> Iterator[tuple[Loc, Route]]:
    yield loc, route
    for index, child in enumerate(route.routes):
        yield from _walk(child, (*loc, "routes", index))


def _only_critical(route: Route) -> bool:
    return any(
        m.name == "severity" and m.operator in ("=", "=~") and alternatives(m) == ["critical"] for m in route.matchers
    )


def _matcher(document: Document, loc: Loc, matcher: Matcher, rules: Rules) -> list[ConfigProblem]:
    """Reports values that do not exist in a closed set: a severity, a rule's name, a failure class."""
    closed: Mapping[str, Sequence[str]] = {
        "severity": SEVERITIES,
        "alertname": list(rules.rules),
        "failure_class": FAILURE_CLASSES,
    }
    valid = closed.get(matcher.name)
    if valid is None:
        return []
    return [
        problem
        for value in alternatives(matcher)
        for problem in document.dangling(loc, f"{matcher}: {matcher.name}", value, valid)
    ]


def covers(wide: Sequence[Matcher], narrow: Sequence[Matcher]) -> bool:
    """True if `wide` certainly accepts everything that `narrow` accepts. False in every other case, also if the
    matchers do not show whether this is so.
    """
    for matcher in wide:
        if matcher in narrow:
            continue
        values = [alternatives(other) for other in narrow if other.name == matcher.name]
        if not any(found and all(matcher.matches({matcher.name: value}) for value in found) for found in values):
            return False
    return True


def alternatives(matcher: Matcher) -> list[str]:
    """The only values that a matcher accepts, if the matcher lists them. Empty if the matcher does not list them."""
    if matcher.operator in ("=", "!="):
        return [matcher.value] if matcher.value and matcher.operator == "=" else []
    parts = matcher.value.split("|")
    plain = all(part.replace("_", "").replace("-", "").isalnum() for part in parts)
    return parts if plain and matcher.operator == "=~" else []


def check_calendar(document: Document, calendar: Calendar, owners: Owners) -> list[ConfigProblem]:
    problems: list[ConfigProblem] = []
    for name, window in calendar.maintenance.items():
        for interval in window.intervals:
            problems += document.dangling(
                ("maintenance", name, "intervals"), "time interval", interval, list(calendar.time_intervals)
            )
        if owners.resolve(window.owner) is None:
            problems += document.dangling(("maintenance", name, "owner"), "owner", window.owner, owners.valid())
    return problems


def check_receivers(document: Document, receivers: Receivers, owners: Owners) -> list[ConfigProblem]:
    """Checks that each recipient is an address, a declared person or a declared team."""
    problems: list[ConfigProblem] = []
    for name, receiver in receivers.receivers.items():
        for index, channel in enumerate(receiver.channels):
            if isinstance(channel.to, str):
                continue
            for recipient in channel.to:
                if owners.resolve(recipient) is None and "@" not in recipient:
                    problems += document.dangling(
                        ("receivers", name, "channels", index, "to"),
                        f"receiver {name!r}: recipient",
                        recipient,
                        owners.valid(),
                    )
                elif words := wrong_recipient(channel, recipient, owners):
                    problems.append(
                        document.problem(("receivers", name, "channels", index, "to"), f"receiver {name!r}: {words}")
                    )
            if channel.type == "email" and not channel.to:
                problems.append(
                    document.problem(
                        ("receivers", name, "channels", index), f"receiver {name!r}: an e-mail channel needs `to`"
                    )
                )
    return problems


def check_promises(document: Document, slas: Slas, assets: Sequence[str], jobs: Sequence[str]) -> list[ConfigProblem]:
    """Checks that the assets and jobs of the service levels exist.

    `assets`: the keys (schema/table) of the assets in the definitions.

    `jobs`: the names of the jobs in the definitions.
    """
    problems: list[ConfigProblem] = []
    for name, sla in slas.slas.items():
        for asset in sla.assets:
            if asset in assets:
                continue
            # A list of hundreds of names does not help, so only similar names are listed. If there are none, the names
            # of the same schema are listed.
            schema = asset.partition("/")[0]
            near = get_close_matches(asset, assets, n=3) or [a for a in assets if a.partition("/")[0] == schema]
            problems += document.dangling(("slas", name, "assets"), f"{name!r}: asset", asset, near or assets)
    for group in ("slas", "expectations"):
        for name, item in getattr(slas, group).items():
            problems += document.dangling((group, name, "pipeline"), f"{name!r}: pipeline", item.pipeline, jobs)
    return problems


def check_slas(document: Document, slas: Slas, receivers: Receivers, domains: Sequence[str]) -> list[ConfigProblem]:
    problems: list[ConfigProblem] = []
    for group in ("slas", "expectations"):
        for name, item in getattr(slas, group).items():
            problems += document.dangling((group, name, "domain"), f"{name!r}: domain", item.domain, domains)
    for name, expectation in slas.expectations.items():
        if expectation.receiver is not None:
            problems += document.dangling(
                ("expectations", name, "receiver"),
                "receiver",
                expectation.receiver,
                list(receivers.receivers),
            )
    return problems
