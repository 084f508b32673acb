"""Opens a snapshot in which the raw text of refused rows is masked. `ops.quarantine` keeps each refused line unchanged,
so that it can be replayed. Such a line may contain names and addresses.

A query that reads this table runs in a second catalogue. It has the same tables and views under the same names, but its
`ops.quarantine` shows `***` for the raw text. The file of the snapshot is attached under a random name, so that no
query can name it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

import duckdb

from ops_project.masking import mask
from ops_project.pipeline.warehouse import snapshots
from ops_project.sql_text import identifier, literal

TABLE = ("ops", "quarantine")
HIDDEN = "***"
# The plan of a query names the tables that the query reads. If a query contains one of these words, its plan may not
# name every table.
_UNPLANNED = re.compile(r"quarantine|\bpivot\b|\bunpivot\b|storage_info|\bquery\b", re.IGNORECASE)
_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "CREATE", "COPY", "ALTER", "DROP", "MERGE_INTO"})


def concerns(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> bool:
    """Whether the answer may contain text of `ops.quarantine`, directly or through a view.

    `connection`: must show complete plans (`explain="all"`).
    """
    if statement.type.name in _WRITING:
        return False  # The engine itself will refuse this query.
    if _UNPLANNED.search(statement.query):
        return True
    try:
        plan = connection.execute(f"EXPLAIN {statement.query}").fetchall()
    except duckdb.Error:
        return True
    return any(TABLE[1] in str(text) for row in plan for text in row)


def open(
    snapshot: snapshots.Snapshot, memory_limit: str, threads: int, plain: Collection[str]
) -> duckdb.DuckDBPyConnection:
    """A connection that reads only this file and masks the raw text of refused rows.

    `plain`: feeds whose contracts name no personal column. Their raw text is shown, except for everything in it that
    looks like personal data.
    """
    connection = duckdb.connect(":memory:")
    kept = f"kept_{secrets.token_hex(12)}"
    connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{memory_limit}'; SET threads = {threads}")
    connection.create_function("masked_text", mask, ["VARCHAR"], "VARCHAR")
    ours = identifier(snapshot.database.stem)
    connection.execute(f"ATTACH {literal(str(snapshot.database))} AS {kept} (READ_ONLY); ATTACH ':memory:' AS {ours}")
    connection.execute(f"USE {ours}")
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal", [kept]
    ).fetchall()
    views = connection.execute(
        "SELECT schema_name, sql FROM duckdb_views() WHERE database_name = ? AND NOT internal", [kept]
    ).fetchall()
    for schema in sorted({row[0] for row in [*tables, *views]}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
    for schema, name in tables:
        columns = f"* REPLACE ({_shown(plain)} AS raw_text)" if (schema, name) == TABLE else "*"
        place = f"{identifier(schema)}.{identifier(name)}"
        connection.execute(f"CREATE VIEW {place} AS SELECT {columns} FROM {kept}.{place}")
    _create(connection, [row[1] for row in views])
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")
    return connection


def _shown(plain: Collection[str]) -> str:
    names = ", ".join(literal(name) for name in sorted(plain))
    readable = f"WHEN feed IN ({names}) THEN masked_text(raw_text) " if names else ""
    return f"CASE WHEN raw_text IS NULL THEN NULL {readable}ELSE {literal(HIDDEN)} END"


def _create(connection: duckdb.DuckDBPyConnection, views: list[str]) -> None:
    """Create views that may read each other, in any order. A view that reads a missing table is left out."""
    waiting = views
    while waiting:
        left = []
        for sql in waiting:
            try:
                connection.execute(sql)
            except duckdb.Error:
                left.append(sql)
        if len(left) == len(waiting):
            return
        waiting = left
