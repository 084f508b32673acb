"""The plan of a restore, for a person to read before the restore is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops_project.lineage import Lineage


@dataclass(frozen=True)
class Held:
    """The rows and the checksum of a table in one warehouse file.

    `columns`: the name and the type of each column. The checksum says nothing about them.
    """

    rows: int
    checksum: str
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TableChange:
    """One table of a plan."""

    table: str
    now: Held | None
    """The table in the present warehouse; None if it is not there."""
    then: Held | None
    """The table in the source of the restore; None if it is not there."""

    @property
    def words(self) -> str:
        """The change of the table, in words."""
        if self.then is None:
            return "removed"
        if self.now is None:
            return "brought back"
        if self.now == self.then:
            return "the same already"
        return "replaced"


@dataclass(frozen=True)
class RestorePlan:
    """A plan. If it is applied, exactly its content is done.

    `source`: `snapshot <id>`, or `undo of <id>` with the id of a restore.
    """

    source: str
    as_of: str
    """The as-of time of the source (ISO 8601, UTC)."""
    whole: bool
    """Whether the whole warehouse is restored, or only some of its tables."""
    changes: tuple[TableChange, ...]
    downstream: tuple[str, ...]
    """Tables that are marked out of date."""
    lost_batches: tuple[str, ...]
    """The files whose rows are in the warehouse now and will not be in it after the restore."""
    warnings: tuple[str, ...] = ()
    undoable: bool = True
    """False if the restore cannot be undone, because the present warehouse is missing or cannot be opened."""

    @property
    def nothing_to_do(self) -> bool:
        """Whether the warehouse holds exactly what it would hold after the restore."""
        same = all(change.now == change.then for change in self.changes)
        return same and self.undoable and not (self.lost_batches or self.warnings)


def changes(tables: Iterable[str], now: Mapping[str, Held], then: Mapping[str, Held]) -> tuple[TableChange, ...]:
    """One change for each table that exists on either side."""
    return tuple(
        TableChange(table, now.get(table), then.get(table))
        for table in sorted(set(tables))
        if table in now or table in then
    )


def downstream(tables: Iterable[str], lineage: Lineage, children: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The tables that are built from `tables`, directly or through other tables. `tables` themselves are left out. All
    names are `schema.table`. The links come from the asset graph and from `children`.

    `children`: table → the tables that are built from it.
    """
    start = set(tables)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        table = waiting.pop()
        graph = (key.replace("/", ".", 1) for key in lineage.descendants(table.replace(".", "/", 1)))
        for child in (*children.get(table, ()), *graph):
            if child not in found and child not in start:
                found.add(child)
                waiting.append(child)
    return tuple(sorted(found))


def children_of(manifest: Mapping[str, object]) -> dict[str, list[str]]:
    """`schema.table` → the tables that dbt builds from it, according to a parsed manifest."""
    nodes: dict[str, Mapping[str, str]] = {}
    for group in ("nodes", "sources"):
        entries = manifest[group]
        assert isinstance(entries, dict)
        nodes |= entries
    graph = manifest["child_map"]
    assert isinstance(graph, dict)
    kinds = ("model", "source", "seed", "snapshot")

    def table(unique_id: str) -> str | None:
        node = nodes.get(unique_id)
        if node is None or node["resource_type"] not in kinds:
            return None
        return f"{node['schema']}.{node.get('identifier') or node.get('alias') or node['name']}"

    result: dict[str, list[str]] = {}
    for parent, found in graph.items():
        if (name := table(parent)) is not None:
            result.setdefault(name, []).extend(child for item in found if (child := table(item)) is not None)
    return result
