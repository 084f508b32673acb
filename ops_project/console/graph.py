"""Draws a part of the asset graph. An asset's column is its distance from the assets that were asked for, and the order
within a column keeps crossings few. The module is pure: facts go in, positions come out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ops_project.lineage import Lineage

WIDTH, HEIGHT = 196, 30
GAP_X, GAP_Y = 56, 10
MOST = 60
LONGEST = 27
MARGIN = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One asset in the drawing."""

    key: str
    label: str
    x: int
    y: int
    kinds: str
    """The CSS classes of the node, separated by spaces: `here` for an asset that was asked for, `wrong` for one that is
    wrong.
    """
    linked: bool = True


@dataclass(frozen=True, slots=True)
class Drawing:
    """The nodes, the edges as SVG paths, and the size of the drawing."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, bool], ...]
    """For each edge: its SVG path, and whether a failure spreads along it."""
    width: int
    height: int
    left_out: int
    """How many assets are not drawn."""


def drawing(
    lineage: Lineage, roots: Sequence[str], *, up: bool = False, down: bool = True, wrong: Collection[str] = ()
) -> Drawing:
    """Draw `roots` and the assets upstream (`up`) and downstream (`down`) of them: at most MOST assets, the nearest
    first. `wrong`: the assets that are wrong now.
    """
    known = [key for key in roots if key in lineage.assets] or list(roots)
    column = dict.fromkeys(known, 0)
    children = lineage.children
    if down:
        _spread(column, known, lambda key: children.get(key, ()), 1)
    if up:
        _spread(column, known, lambda key: lineage.get(key).upstream, -1)
    nearest = sorted(column, key=lambda key: (abs(column[key]), key))
    kept = set(nearest[:MOST])
    columns = sorted({column[key] for key in kept})
    order = {number: sorted(key for key in kept if column[key] == number) for number in columns}
    _untangle(order, columns, lineage, children)
    place: dict[str, tuple[int, int]] = {}
    tallest = max((len(keys) for keys in order.values()), default=1)
    for index, number in enumerate(columns):
        keys = order[number]
        top = MARGIN + (tallest - len(keys)) * (HEIGHT + GAP_Y) // 2
        for row, key in enumerate(keys):
            place[key] = (MARGIN + index * (WIDTH + GAP_X), top + row * (HEIGHT + GAP_Y))
    hot = set(wrong) | {child for key in wrong for child in lineage.descendants(key)}
    edges = [
        (_path(place[parent], place[key]), parent in hot and key in hot)
        for key in kept
        for parent in lineage.get(key).upstream
        if parent in place and place[parent][0] < place[key][0]
    ]
    nodes = [
        Node(
            key,
            _short(key),
            *place[key],
            " ".join(("here" if key in known else "", "wrong" if key in wrong else "")).strip(),
        )
        for key in sorted(kept, key=lambda key: place[key])
    ]
    return Drawing(
        tuple(nodes),
        tuple(edges),
        MARGIN * 2 + len(columns) * WIDTH + max(0, len(columns) - 1) * GAP_X,
        MARGIN * 2 + tallest * (HEIGHT + GAP_Y) - GAP_Y,
        len(column) - len(kept),
    )


def _spread(column: dict[str, int], roots: Sequence[str], step: Callable[[str], Sequence[str]], sign: int) -> None:
    """Give each asset that is reachable from the roots a column: the length of its longest path from a root. So every
    edge goes to the right.
    """
    reached: set[str] = set()
    stack = list(roots)
    while stack:
        for key in step(stack.pop()):
            if key not in reached and key not in roots:
                reached.add(key)
                stack.append(key)
    depth: dict[str, int] = {}

    def of(key: str) -> int:
        if key in roots:
            return 0
        if key not in depth:
            depth[key] = 1
            back = [parent for parent in inverse.get(key, ()) if parent in reached or parent in roots]
            depth[key] = 1 + max((of(parent) for parent in back), default=0)
        return depth[key]

    inverse: dict[str, list[str]] = {}
    for key in (*reached, *roots):
        for target in step(key):
            inverse.setdefault(target, []).append(key)
    for key in sorted(reached):
        column.setdefault(key, sign * of(key))


def _untangle(
    order: dict[int, list[str]], columns: Sequence[int], lineage: Lineage, children: Mapping[str, Sequence[str]]
) -> None:
    """Reduce crossings. Each column is sorted by the average position of each asset's neighbours, alternately from left
    to right and back, four times.
    """
    for turn in range(4):
        for number in columns if turn % 2 == 0 else list(reversed(columns)):
            rows = {key: row for other in columns if other != number for row, key in enumerate(order[other])}

            def middle(key: str, rows: Mapping[str, int] = rows) -> tuple[float, str]:
                near = [rows[n] for n in (*lineage.get(key).upstream, *children.get(key, ())) if n in rows]
                return (sum(near) / len(near) if near else 0.0, key)

            order[number].sort(key=middle)


def _path(parent: tuple[int, int], child: tuple[int, int]) -> str:
    x1, y1, x2, y2 = parent[0] + WIDTH, parent[1] + HEIGHT // 2, child[0], child[1] + HEIGHT // 2
    bend = (x2 - x1) // 2
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _short(key: str) -> str:
    return key if len(key) <= LONGEST else key[: LONGEST - 1] + "…"
