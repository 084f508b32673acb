"""Writes verdicts into the warehouse, so that the dates of a false alarm no longer train the checks.
`ops.excluded_points` is filled anew at the start of each run from the ledger, which remains the only source. The
volume check and the anomaly models read it. Landing makes the table, so that it exists even if there is no verdict.
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
    """(asset, business date, alert) of every false alarm that was about dates."""
    found: set[Point] = set()
    for verdict in verdicts:
        if verdict["verdict"] in WRONG and verdict["asset"]:
            for text in (verdict["partition"], *str(verdict.get("dates", "")).split(",")):
                try:
                    found.add((verdict["asset"], date.fromisoformat(text), verdict["alert"]))
                except ValueError:
                    continue  # The alert was about no date.
    return sorted(found)


def exclude(connection: duckdb.DuckDBPyConnection, settings: Settings) -> int | None:
    """Write the points. Returns how many there are. If the ledger cannot be reached, the stored points stay, and None
    is returned, so that the run does not fail.
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
