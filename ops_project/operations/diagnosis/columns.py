"""Answers questions about column lineage, for example where `gold.daily_revenue.gross_revenue` comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from ops_project.column_lineage import ROWS, Column, ColumnLineage, LineageGraph, walk

SHOWN = 8


class UnknownColumn(LookupError):
    """There is no such column or table. The message names some columns or tables that exist."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """For one schema: the number of columns whose origin is proven, absent or unknown."""

    proven: int
    absent: int
    unknown: int

    @property
    def total(self) -> int:
        return self.proven + self.absent + self.unknown

    @property
    def share(self) -> float:
        """The share of the columns whose origin is known, from 0 to 1."""
        return 1.0 if not self.total else (self.proven + self.absent) / self.total


def find(lineage: ColumnLineage, text: str) -> Column:
    """The column that a person has named: schema.table.column, schema/table.column or table.column. If only a table is
    named, its rows are meant. Raises UnknownColumn.
    """
    words = text.strip().lower().replace("/", ".").split(".")
    if len(words) > 3 or not all(words):
        raise UnknownColumn(
            f"{text!r} names no column; write schema.table.column, for example gold.daily_revenue.units_sold"
        )
    tables = _tables(lineage, words)
    if not tables:
        names = [asset.replace("/", ".") for asset in lineage.columns]
        wanted = ".".join(words[:2])
        # People often leave out the schema, and write `table` or `table.column`.
        near = get_close_matches(wanted, names, SHOWN) or [
            name for name in names if get_close_matches(words[0], [name.partition(".")[2]])
        ]
        raise UnknownColumn(f"there is no table {wanted}; {_or_near(near, 'tables', names)}")
    if len({asset for asset, _ in tables}) > 1:
        listed = ", ".join(sorted(asset.replace("/", ".") for asset, _ in tables))
        raise UnknownColumn(f"{text!r} may be in {listed}; write the schema too")
    asset, name = tables[0]
    if name and name != ROWS and name not in lineage.columns[asset]:
        columns = list(lineage.columns[asset])
        near = get_close_matches(name, columns, SHOWN)
        raise UnknownColumn(f"{asset.replace('/', '.')} has no column {name!r}; {_or_near(near, 'columns', columns)}")
    return Column(asset, name or ROWS)


def _tables(lineage: ColumnLineage, words: list[str]) -> list[tuple[str, str]]:
    """Every way to read the words, as (asset, name of the column); the name is empty if only a table is named."""
    found = []
    if len(words) >= 2 and f"{words[0]}/{words[1]}" in lineage.columns:
        found.append((f"{words[0]}/{words[1]}", words[2] if len(words) > 2 else ""))
    if not found and len(words) <= 2:
        found = [
            (asset, words[1] if len(words) > 1 else "")
            for asset in lineage.columns
            if asset.partition("/")[2] == words[0] and not asset.startswith("inbound/")
        ]
    return found


def _or_near(near: list[str], what: str, names: list[str]) -> str:
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = sorted(names)
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return f"{what}: {', '.join(shown[:SHOWN])}{more}"


def trace(
    lineage: ColumnLineage, column: Column, direction: Literal["up", "down"] = "up", *, rows: bool = False
) -> LineageGraph:
    """The columns upstream or downstream of a column. Some columns decide only which rows exist. They are followed too
    if `rows` is true, or if `column` stands for the rows of a table.
    """
    return walk(lineage, column, direction, rows=rows or column.name == ROWS)


def resolved(lineage: ColumnLineage) -> Mapping[str, Resolved]:
    """Schema → how many of its columns have a known origin. The fields of inbound files and the journal are not
    counted.
    """
    counted: dict[str, dict[str, int]] = {}
    for column, origin in lineage.origins.items():
        schema = column.asset.partition("/")[0]
        if column.name == ROWS or schema in ("inbound", "ops"):
            continue
        states = counted.setdefault(schema, {"proven": 0, "absent": 0, "unknown": 0})
        states[origin.state] += 1
    return {schema: Resolved(**states) for schema, states in counted.items()}
