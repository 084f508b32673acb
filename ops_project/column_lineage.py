"""Which column comes from which, as plain values.

The origin of a column is proven, absent or unknown, with the evidence. If the SQL does not show the origin, it is
unknown. Unknown does not mean that the column comes from no other column.

- The values of a column are the columns that it repeats or computes from.
- The conditions of a column are the columns that decide which value it has: filters of a count, the order of a window.
- The rows of a table are the columns that decide which rows it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

State = Literal["proven", "absent", "unknown"]
STATES: tuple[str, ...] = get_args(State)
ROWS = "*"
"""The name that stands for the rows of a table in a list of its columns."""


@dataclass(frozen=True, order=True, slots=True)
class Column:
    """One column of an asset (`gold/daily_revenue`), or its rows (`*`)."""

    asset: str
    name: str

    def __str__(self) -> str:
        return f"{self.asset}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Column:
        """Reads a column's name in the form that `str` writes: gold/daily_revenue.revenue."""
        asset, _, name = text.rpartition(".")
        return cls(asset, name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one column comes from. Proven: from its parents only. Absent: from no column. Unknown: the origin could not
    be determined.
    """

    state: State
    values: tuple[Column, ...] = ()
    """Columns whose content may appear in this column. If one of them holds personal data, this column may hold it
    too.
    """
    conditions: tuple[Column, ...] = ()
    """Columns, and rows of tables, that decide what this column holds without appearing in it."""
    reason: str = ""
    """The evidence. If the origin is unknown: what could not be determined."""
    personal: bool = False
    """Whether the column is declared as personal data at the place where it enters the platform."""

    @property
    def parents(self) -> tuple[Column, ...]:
        return (*self.values, *(column for column in self.conditions if column not in self.values))


@dataclass(frozen=True)
class ColumnLineage:
    """The origin of every column of every table, and of each table's rows (`*`), under one version of the code."""

    origins: Mapping[Column, Origin] = field(default_factory=dict)
    version: str = ""

    def origin(self, column: Column) -> Origin:
        """The origin of a column. A column that is not listed is unknown."""
        found = self.origins.get(column)
        return found or Origin("unknown", reason=f"no version of the code that was read has a column {column}")

    @cached_property
    def children(self) -> Mapping[Column, tuple[Column, ...]]:
        """Column → the columns that name it as a parent."""
        found: dict[Column, list[Column]] = {}
        for column, origin in self.origins.items():
            for parent in origin.parents:
                found.setdefault(parent, []).append(column)
        return {column: tuple(sorted(items)) for column, items in found.items()}

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Asset → its columns, without its rows."""
        found: dict[str, list[str]] = {}
        for column in self.origins:
            if column.name != ROWS:
                found.setdefault(column.asset, []).append(column.name)
        return {asset: tuple(names) for asset, names in found.items()}

    @cached_property
    def personal(self) -> frozenset[Column]:
        """Every column that may hold personal data: it is declared so, or computed from values of such a column."""
        found = {column for column, origin in self.origins.items() if origin.personal}
        by_value: dict[Column, list[Column]] = {}
        for column, origin in self.origins.items():
            for parent in origin.values:
                by_value.setdefault(parent, []).append(column)
        waiting = list(found)
        while waiting:
            for child in by_value.get(waiting.pop(), ()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return frozenset(found)

    def unknown_columns(self) -> Mapping[Column, str]:
        """Column → why its origin could not be determined."""
        return {c: o.reason for c, o in self.origins.items() if o.state == "unknown" and c.name != ROWS}

    def merged(self, more: Mapping[Column, Origin], version: str) -> ColumnLineage:
        """This lineage with `more` added. For a column that both have, `more` wins."""
        return ColumnLineage({**self.origins, **more}, version)

    def dump(self) -> dict[str, Any]:
        """Plain data: each name of a column is written once."""
        names: dict[Column, int] = {}

        def number(column: Column) -> int:
            return names.setdefault(column, len(names))

        origins = [
            [
                number(column),
                STATES.index(origin.state),
                [number(item) for item in origin.values],
                [number(item) for item in origin.conditions],
                origin.reason,
                int(origin.personal),
            ]
            for column, origin in self.origins.items()
        ]
        return {"version": self.version, "names": [str(column) for column in names], "origins": origins}

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> ColumnLineage:
        """The inverse of `dump`."""
        names = [Column.parse(text) for text in data["names"]]
        states: tuple[State, ...] = get_args(State)
        origins = {
            names[column]: Origin(
                states[state],
                tuple(names[n] for n in values),
                tuple(names[n] for n in conditions),
                reason,
                bool(personal),
            )
            for column, state, values, conditions, reason, personal in data["origins"]
        }
        return cls(origins, data["version"])


@dataclass(frozen=True, slots=True)
class Hop:
    """One edge of a lineage graph: `child` is computed from `parent`."""

    parent: Column
    child: Column
    kind: Literal["value", "condition", "rows"]


@dataclass(frozen=True)
class LineageGraph:
    """The columns upstream or downstream of one column."""

    root: Column
    direction: Literal["up", "down"]
    depth: Mapping[Column, int]
    """Column → the smallest number of hops from the root. The root itself has 0."""
    hops: tuple[Hop, ...]
    origins: Mapping[Column, Origin]
    personal: frozenset[Column]
    version: str = ""

    @property
    def unknown(self) -> Mapping[Column, str]:
        """The columns in this graph whose own origin could not be determined, with the reason."""
        return {
            column: self.origins[column].reason
            for column in sorted(self.depth, key=lambda item: (self.depth[item], item))
            if column in self.origins and self.origins[column].state == "unknown"
        }


def walk(lineage: ColumnLineage, root: Column, direction: Literal["up", "down"], *, rows: bool = False) -> LineageGraph:
    """All columns upstream (`up`) or downstream (`down`) of `root`, the nearest first.

    `rows`: also include the columns that decide which rows the tables have.
    """
    depth = {root: 0}
    hops: dict[Hop, None] = {}
    waiting = [root]
    while waiting:
        here = waiting.pop(0)
        for hop in _hops(lineage, here, direction, rows):
            hops.setdefault(hop)
            there = hop.parent if direction == "up" else hop.child
            if there not in depth:
                depth[there] = depth[here] + 1
                waiting.append(there)
    return LineageGraph(
        root=root,
        direction=direction,
        depth=depth,
        hops=tuple(hops),
        origins={column: lineage.origin(column) for column in depth},
        personal=frozenset(column for column in depth if column in lineage.personal),
        version=lineage.version,
    )


def _hops(lineage: ColumnLineage, here: Column, direction: str, rows: bool) -> Iterable[Hop]:
    if direction == "up":
        yield from _up(lineage, here, rows)
        return
    for child in lineage.children.get(here, ()):
        for hop in _up(lineage, child, rows):
            if hop.parent == here:
                yield hop
    if rows and here.name == ROWS:
        yield from (Hop(here, Column(here.asset, name), "rows") for name in lineage.columns.get(here.asset, ()))


def _up(lineage: ColumnLineage, here: Column, rows: bool) -> Iterable[Hop]:
    origin = lineage.origin(here)
    yield from (Hop(parent, here, "value") for parent in origin.values)
    for parent in origin.conditions:
        if parent not in origin.values:
            yield Hop(parent, here, "rows" if here.name == ROWS else "condition")
    own = Column(here.asset, ROWS)
    if rows and here.name != ROWS and own in lineage.origins:
        yield Hop(own, here, "rows")


def assets_of(columns: Collection[Column]) -> frozenset[str]:
    return frozenset(column.asset for column in columns)
