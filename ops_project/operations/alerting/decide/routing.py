"""Decides which routes take an alert. It walks through the tree as Alertmanager does, and can name the path to each
route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
ENDS, SYMPTOMS = "ends", "symptoms"


@dataclass(frozen=True, slots=True)
class Node:
    """A route with all values that it inherits."""

    id: str
    """The matchers of its parents and its own: {}/{severity="critical"} on-call. The id does not contain the position
    among its siblings, so it stays the same when a route is inserted before this one.
    """
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
    """The place of the route in routes.yaml."""
    former_id: str = ""
    """The id that earlier versions gave to the route. It was its position in the tree."""
    kind: str = ""
    """Empty for a route of the tree; `ends` or `symptoms` for a route outside the tree (outside.py)."""

    def group_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        if "..." in self.group_by:
            return dict(labels)
        return {name: labels[name] for name in self.group_by if name in labels}

    def group_key(self, labels: Mapping[str, str]) -> str:
        """The key of a new group whose alerts share these labels."""
        return digest(self.id, *(f"{name}={labels[name]}" for name in sorted(labels)))


def compile_tree(
    route: Route,
    parent: Node | None = None,
    path: tuple[str | int, ...] = ("route",),
    own: str | None = None,
) -> Node:
    """The tree, in which every route has its inherited values. `own`: the text that distinguishes this route from its
    siblings; by default its matchers.
    """
    matchers = "{" + ",".join(map(str, route.matchers)) + "}"
    said = own if own is not None else matchers
    node_id = f"{parent.id}/{said}" if parent else said
    former_id = f"{parent.former_id}/{matchers}/{path[-1]}" if parent else matchers
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
        former_id=former_id,
    )
    children = tuple(
        compile_tree(child, node, (*path, "routes", index), own)
        for index, (child, own) in enumerate(zip(route.routes, _names(route.routes, node), strict=True))
    )
    return Node(**{**{name: getattr(node, name) for name in Node.__slots__}, "children": children})


def _names(routes: Sequence[Route], parent: Node) -> list[str]:
    """A name for each of these siblings, made from its matchers. If two siblings have the same matchers, a number is
    added.
    """
    plain = [f"{{{','.join(sorted(map(str, r.matchers)))}}} {r.receiver or parent.receiver}" for r in routes]
    timed = [
        name
        if plain.count(name) == 1
        else f"{name} {route.digest or ''} {route.active_time_intervals} {route.mute_time_intervals}"
        for name, route in zip(plain, routes, strict=True)
    ]
    return [
        name if timed.count(name) == 1 else f"{name} #{timed[:index].count(name) + 1}"
        for index, name in enumerate(timed)
    ]


def heard_once(nodes: Sequence[Node]) -> list[Node]:
    """Of all routes that match an alert, those that are needed. A receiver is told once, however many routes reach it.
    So a route is left out if another route of the same receiver sends at every moment at which it sends.
    """
    # If two routes send at the same moments, the quicker one comes first and is kept.
    order = sorted(nodes, key=lambda node: (bool(node.digest), node.group_wait))
    kept: list[Node] = []
    for node in order:
        rivals = [other for other in order if other.receiver == node.receiver and other is not node]
        if not any(
            _speaks_whenever(other, node) and (not _speaks_whenever(node, other) or other in kept) for other in rivals
        ):
            kept.append(node)
    return [node for node in nodes if node in kept]


def _speaks_whenever(node: Node, other: Node) -> bool:
    """Whether `node` sends at every moment at which `other` sends."""
    if node.digest or node.active:
        return (node.digest, node.active, node.mute) == (other.digest, other.active, other.mute)
    return other.digest is None and set(node.mute) <= set(other.mute)


def _inherit(own: Value | None, inherited: Value | None, default: Value) -> Value:
    return own if own is not None else inherited if inherited is not None else default


def walk(node: Node) -> list[Node]:
    """This node and all nodes below it. A parent comes before its children."""
    return [node, *(below for child in node.children for below in walk(child))]


def match(node: Node, labels: Mapping[str, str]) -> list[Node]:
    """The routes that take these labels: in each branch, the deepest route that matches. Further branches are tried
    only after a match with `continue`.
    """
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
    """One comparison of the walk, as `ops route explain` shows it."""

    depth: int
    route: str
    matched: bool
    why: str


def explain(node: Node, labels: Mapping[str, str], depth: int = 0) -> list[Step]:
    """The walk through the tree. For each route that does not match, the first matcher that refuses is named."""
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
