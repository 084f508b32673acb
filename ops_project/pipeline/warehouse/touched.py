"""Finds the business dates of a large table that may have changed since the last snapshot. They are known for two kinds
of tables:

- Bronze tables: landing records the dates.
- Incremental models: a model changes only the dates of its new rows, unless its code has changed or it was built from
  nothing since the last snapshot.

For every other model, the dates are not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from ops_project.model.days import days_later

WHOLE_BUILDS = "ops.whole_builds"


@dataclass(frozen=True)
class BuiltByDates:
    """A model that replaces the rows of the touched dates and no other rows."""

    code: str
    """Digest of the model's SQL, its settings and the macros that it calls."""
    spread_days: int = 0
    """The number of further dates that the model replaces after each touched date."""


def touched_dates(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    *,
    before: Mapping[str, Any],
    models: Mapping[str, BuiltByDates],
    rebuilt: Set[str],
    known: Set[str],
) -> set[str] | None:
    """Business dates (ISO) of `schema.table` that may have changed; None if they are not known.

    `before`: the manifest of the last snapshot.
    `models`: table → model, for the models that are built by dates.
    `rebuilt`: dates that a user ordered to be built anew.
    `known`: tables that exist.
    """
    if "ops.touched_dates" not in known:
        return None
    schema, _, name = table.partition(".")
    if schema == "bronze":
        return _since(connection, int(before["load_seq"]), name)
    model = models.get(table)
    since = before["builds"].get(name)
    if model is None or since is None or before.get("code", {}).get(table) != model.code:
        return None
    if WHOLE_BUILDS in known and before.get("whole_builds", {}).get(name, 0) != _whole_builds(connection, name):
        return None
    found = _since(connection, int(since)) | rebuilt
    return {
        str(days_later(date.fromisoformat(day), offset)) for day in found for offset in range(model.spread_days + 1)
    }


def _whole_builds(connection: duckdb.DuckDBPyConnection, model: str) -> int:
    row = connection.execute(f"SELECT coalesce(max(times), 0) FROM {WHOLE_BUILDS} WHERE model = ?", [model]).fetchone()
    return int(row[0]) if row else 0


def _since(connection: duckdb.DuckDBPyConnection, load_seq: int, feed: str | None = None) -> set[str]:
    rows = connection.execute(
        "SELECT DISTINCT business_date::VARCHAR FROM ops.touched_dates "
        f"WHERE business_date IS NOT NULL AND load_seq > ? {'AND feed = ?' if feed else ''}",
        [load_seq, feed] if feed else [load_seq],
    ).fetchall()
    return {row[0] for row in rows}
