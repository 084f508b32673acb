"""Writes the dates of false alarms into the warehouse, so that checks no longer learn from these dates.

At the start of each run, `ops.excluded_points` is filled anew from the verdicts in the ledger, which remains the only
source. The volume check and the anomaly models read the table. Landing creates it, so it exists even if there is no
verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from ops_project.operations.alerting.decide.precision import WRONG
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

Point = tuple[str, date, int]


def points(verdicts: Sequence[Mapping[str, Any]]) -> list[Point]:
    """One point for each date of each false alarm: (asset, business date, number of the alert)."""
    found: set[Point] = set()
    for verdict in verdicts:
        if verdict["verdict"] in WRONG and verdict["asset"]:
            for text in (verdict["partition"], *str(verdict.get("dates", "")).split(",")):
                try:
                    found.add((verdict["asset"], date.fromisoformat(text), verdict["alert"]))
                except ValueError:
                    continue  # The alert was not about a date.
    return sorted(found)


def exclude(connection: duckdb.DuckDBPyConnection, settings: Settings) -> int | None:
    """Write the points and return their number. If the ledger cannot be reached, the points of the last time stay, None
    is returned, and the run does not fail.
    """
    try:
        found = points(open_ledger(settings).verdicts())
    except SQLAlchemyError:
        return None
    connection.execute("BEGIN")
    try:
        connection.execute("DELETE FROM ops.excluded_points")
        if found:
            connection.executemany("INSERT INTO ops.excluded_points VALUES (?, ?, ?)", found)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return len(found)
