"""Finds the business dates of the keys that differ, so that a message about a difference can name these days."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from ops_project.pipeline.reconcile.classify import KeyClass
from ops_project.pipeline.reconcile.sides import Side
from ops_project.sql_text import identifier, literal

MOST = 31


def break_dates(
    connection: duckdb.DuckDBPyConnection, column: str | None, key: Sequence[str], sides: Sequence[Side], keys: str
) -> tuple[str, ...]:
    """The dates as text, in ascending order, at most 31. Empty if no key differs, or if the dates are unknown.

    `column`: the chain's date column.
    `keys`: the table of differing keys (class, differs, k0 …).
    """
    differing = f"{keys} where differs and class <> {literal(KeyClass.QUARANTINED)}"
    if column is None:
        return ()
    if column in key:
        query = f"select k{key.index(column)}::date::varchar as day from {differing}"
    else:
        listed = ", ".join(f"k{index}::varchar" for index in range(len(key)))
        columns = ", ".join(f"{identifier(name)}::varchar" for name in key)
        query = " union ".join(
            f"select {identifier(column)}::date::varchar as day from {side.relation}"
            f" where ({columns}) in (select ({listed}) from {differing})"
            for side in sides
            if column in side.types
        )
    if not query:
        return ()
    try:
        rows = connection.execute(f"select distinct day from ({query}) where day is not null order by 1 limit {MOST}")
        return tuple(row[0] for row in rows.fetchall())
    except duckdb.Error:
        return ()  # One side has another type for the date or the key. The difference itself is still reported.
