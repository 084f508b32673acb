"""Identifies a warehouse file by two values inside it. The id distinguishes it from other warehouses. The generation
distinguishes the present file from older copies of it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import duckdb

TABLE = "ops.identity"


@dataclass(frozen=True)
class Identity:
    """Which warehouse a file is, and its generation, which grows with each snapshot."""

    id: str
    generation: int


def read(connection: duckdb.DuckDBPyConnection) -> Identity | None:
    """The identity of an open warehouse. None if the warehouse is older than this feature."""
    try:
        row = connection.execute(f"SELECT id, generation FROM {TABLE}").fetchone()
    except duckdb.CatalogException:
        return None
    return None if row is None else Identity(str(row[0]), int(row[1]))


def advance(connection: duckdb.DuckDBPyConnection, generation: int) -> Identity:
    """Give the warehouse its next generation, and an id if it has none. The next generation is higher than both
    `generation` and the present one. Returns the identity for the manifest of the snapshot.
    """
    before = read(connection)
    made = Identity(before.id if before else uuid.uuid4().hex, max(generation, before.generation if before else 0) + 1)
    connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (id VARCHAR NOT NULL, generation BIGINT NOT NULL)")
    if before is None:
        connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", [made.id, made.generation])
    else:
        connection.execute(f"UPDATE {TABLE} SET generation = ?", [made.generation])
    return made
