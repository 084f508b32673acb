"""Which routes take an alert: Alertmanager's tree walk, with the path that led there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from ops_project.model.alerting.matcher import Matcher, all_match
from ops_project.model.alerting.route import (
    DEFAULT_GROUP_INTERVAL,
    DEFAULT_GROUP_WAIT,
    DEFAULT_REPEAT_INTERVAL,
    Route,
)
from ops_project.model.alerting.signal import digest

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Node:
    """A route with everything inherited filled in."""

    id: str
    """Its place in the tree and its matchers: {}/{severity="critical"}."""
    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    group_by: tuple[str, ...]
    group_wait: timedelta
    group_interval: timedelta
    repeat_interval: timedelta
    mute: tuple[str, ...]
    active: tuple[str, ...]
    digest: str | None
    children: tuple[Node, ...]
    path: tuple[str | int, ...]
    """Where it stands in routes.yaml."""

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        if "..." in self.group_by:
            return dict(labels)
        return {name: labels[name] for name in self.group_by if name in labels}

    def group_key(self, labels: Mapping[str, str]) -> str:
        group = self.group_labels(labels)
        return digest(self.id, *(f"{name}={group[name]}" for name in sorted(group)))


def compile_tree(route: Route, parent: Node | None = None, path: tuple[str | int, ...] = ("route",)) -> Node:
    """The tree with inheritance resolved; ids are unique also between equal siblings."""
    own = "{" + ",".join(map(str, route.matchers)) + "}"
    node_id = f"{parent.id}/{own}" if parent else own
    if parent is not None:
        node_id += f"/{path[-1]}"
    node = Node(
        id=node_id,
        receiver=route.receiver or (parent.receiver if parent else ""),
        matchers=route.matchers,
        continues=route.continue_,
        group_by=_inherit(route.group_by, parent.group_by if parent else None, ()),
        group_wait=_inherit(route.group_wait, parent.group_wait if parent else None, DEFAULT_GROUP_WAIT),
        group_interval=_inherit(
            route.group_interval, parent.group_interval if parent else None, DEFAULT_GROUP_INTERVAL
        ),
        repeat_interval=_inherit(
            route.repeat_interval, parent.repeat_interval if parent else None, DEFAULT_REPEAT_INTERVAL
        ),
        mute=route.mute_time_intervals,
        active=route.active_time_intervals,
        digest=route.digest,
        children=(),
        path=path,
    )
    children = tuple(compile_tree(child, node, (*path, "routes", index)) for index, child in enumerate(route.routes))
    return Node(**{**{name: getattr(node, name) for name in Node.__slots__}, "children": children})


def _inherit(own: Value | None, inherited: Value | None, default: Value) -> Value:
    return own if own is not None else inherited if inherited is not None else default


def walk(node: Node) -> list[Node]:
    """Every node, parents first."""
    return [node, *(below for child in node.children for below in walk(child))]


def match(node: Node, labels: Mapping[str, str]) -> list[Node]:
    """The routes that take these labels: the deepest match of each branch, stopping where `continue` is not set."""
    if not all_match(node.matchers, labels):
        return []
    found: list[Node] = []
    for child in node.children:
        matched = match(child, labels)
        found += matched
        if matched and not child.continues:
            break
    return found or [node]


@dataclass(frozen=True, slots=True)
class Step:
    """One comparison of the walk, for `ops route explain`."""

    depth: int
    route: str
    matched: bool
    why: str


def explain(node: Node, labels: Mapping[str, str], depth: int = 0) -> list[Step]:
    """The walk as it happened, with the first matcher that refused."""
    refused = next((matcher for matcher in node.matchers if not matcher.matches(labels)), None)
    name = "{" + ", ".join(map(str, node.matchers)) + "}" if node.matchers else "(every alert)"
    if refused is not None:
        return [Step(depth, name, False, f"{refused} but {refused.name} is {labels.get(refused.name, '')!r}")]
    below: list[Step] = []
    taken = False
    for child in node.children:
        steps = explain(child, labels, depth + 1)
        below += steps
        if steps[0].matched:
            taken = True
            if not child.continues:
                break
    why = "passed on to a route below" if taken else f"receiver {node.receiver}"
    return [Step(depth, name, True, why), *below]
