"""A lineage graph as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from ops_project.column_lineage import ROWS, Column, Hop, LineageGraph

KINDS = {"value": "", "condition": " (decides it)", "rows": " (decides its rows)"}


def name_of(column: Column) -> str:
    """The name for people: gold.daily_revenue.units_sold, or `rows of gold.daily_revenue`."""
    table = column.asset.replace("/", ".")
    return f"rows of {table}" if column.name == ROWS else f"{table}.{column.name}"


def lines(graph: LineageGraph, depth: int | None = None) -> Iterator[str]:
    """One line for the root, then lines for its origins or its uses. A subtree that occurs several times is
    shown once.
    """
    yield f"{name_of(graph.root)}{_marks(graph, graph.root)}"
    children: dict[Column, list[Hop]] = {}
    for hop in graph.hops:
        children.setdefault(hop.child if graph.direction == "up" else hop.parent, []).append(hop)
    yield from _below(graph, graph.root, children=children, before="", shown={graph.root}, depth=depth)


def _below(
    graph: LineageGraph,
    here: Column,
    *,
    children: dict[Column, list[Hop]],
    before: str,
    shown: set[Column],
    depth: int | None,
) -> Iterator[str]:
    if depth is not None and depth <= 0:
        return
    hops = children.get(here, [])
    for number, hop in enumerate(hops):
        there = hop.parent if graph.direction == "up" else hop.child
        last = number == len(hops) - 1
        again = there in shown and bool(children.get(there))
        told = " … as above" if again else _marks(graph, there)
        yield f"{before}{'└─ ' if last else '├─ '}{name_of(there)}{KINDS[hop.kind]}{told}"
        if there not in shown:
            shown.add(there)
            inner = before + ("   " if last else "│  ")
            yield from _below(
                graph, there, children=children, before=inner, shown=shown, depth=None if depth is None else depth - 1
            )


def _marks(graph: LineageGraph, column: Column) -> str:
    origin = graph.origins.get(column)
    marks = [] if column not in graph.personal else ["personal data"]
    if origin is not None and origin.state == "unknown":
        marks.append(f"unknown: {origin.reason}")
    elif origin is not None and origin.state == "absent" and graph.direction == "up":
        marks.append(origin.reason)
    return f"  [{'; '.join(marks)}]" if marks else ""
