"""Finds receivers that two routes of the tree reach with the same alert.

Such a receiver is told once, so the second route has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops_project.model.alerting.rule import Rule
from ops_project.operations.alerting.decide.routing import Node, heard_once, match


@dataclass(frozen=True, slots=True)
class Double:
    """A route that would send a receiver only what another route already sends."""

    receiver: str
    path: tuple[str | int, ...]
    """The place in routes.yaml of the route that has no effect for this alert."""
    alertname: str
    domain: str
    """A domain that both routes accept, as an example."""


def doubles(tree: Node, rules: Mapping[str, Rule], domains: Iterable[str]) -> list[Double]:
    """One result for each route without effect, with the first alert that shows it."""
    found: dict[tuple[str | int, ...], Double] = {}
    domains = sorted(domains)
    for name, rule in sorted(rules.items()):
        for domain in domains:
            for risky in ("true", "false"):
                identity = {"alertname": name, "severity": rule.severity, "category": rule.category}
                nodes = match(tree, {"domain": domain, "sla_at_risk": risky, **rule.labels, **identity})
                for node in nodes:
                    if node not in heard_once(nodes):
                        found.setdefault(node.path, Double(node.receiver, node.path, name, domain))
    return list(found.values())
