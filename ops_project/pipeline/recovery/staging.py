"""Prepares a warehouse file beside the real one, with single tables or the whole warehouse from a source. The file is
compared by checksum before any reader sees it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.counted import counted
from ops_project.pipeline.recovery.decide.plan import Held
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse.fingerprints import Fingerprint, fingerprint, tables
from ops_project.sql_text import literal, relation

RESTORES = "ops.restores"


class ChecksumDiffers(RestoreError):
    """The content of the prepared file differs from what its source declares."""


@dataclass(frozen=True)
class Source:
    """A warehouse file to restore from, and the content that it should have."""

    name: str
    database: Path
    as_of: datetime
    tables: Mapping[str, Fingerprint]


@contextmanager
def opened(database: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file, with time zone UTC. At the end of the block it is closed. DuckDB then writes its
    write-ahead log into the file.
    """
    connection = duckdb.connect(str(database), read_only=read_only)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def held(
    connection: duckdb.DuckDBPyConnection, only: Collection[str] | None = None, *, with_views: bool = False
) -> dict[str, Fingerprint]:
    """The fingerprint of each base table.

    `only`: the tables to read; None means all.
    `with_views`: read views too, except views whose query fails.
    """
    views = views_of(connection)
    found = {}
    for table, columns in tables(connection).items():
        if (table in views and not with_views) or (only is not None and table not in only):
            continue
        try:
            found[table] = fingerprint(connection, table, columns)
        except duckdb.Error:
            if table not in views:
                raise
    return found


def briefly(found: Mapping[str, Fingerprint]) -> dict[str, Held]:
    """What each table holds, without the separate checksums of the parts of large tables."""
    return {table: Held(value.rows, value.checksum, value.columns) for table, value in found.items()}


def views_of(connection: duckdb.DuckDBPyConnection, catalog: str | None = None) -> dict[str, str]:
    """`schema.view` → its SQL."""
    rows = connection.execute(
        "SELECT schema_name || '.' || view_name, sql FROM duckdb_views() "
        "WHERE NOT internal AND database_name = coalesce(?, current_database())",
        [catalog],
    ).fetchall()
    return dict(rows)


def compare(connection: duckdb.DuckDBPyConnection, source: Source, wanted: Collection[str]) -> None:
    """Raises ChecksumDiffers if a base table of `wanted` does not have exactly the declared content."""
    for words in differences(connection, source, wanted):
        raise ChecksumDiffers(
            f"{words}. Nothing was changed. The copy is damaged, or the engine hashes differently since it was made: "
            "choose another snapshot, or a backup."
        )


def differences(connection: duckdb.DuckDBPyConnection, source: Source, wanted: Collection[str]) -> list[str]:
    """The base tables of `wanted` whose content differs from the declared one, in words."""
    views = views_of(connection)
    found = held(connection, wanted)
    result = []
    for table in sorted(wanted):
        said = source.tables.get(table)
        if said is None or table in views:
            continue
        got = found.get(table)
        if got is None or (got.rows, got.checksum, got.columns) != (said.rows, said.checksum, said.columns):
            what = "is missing" if got is None else f"has {counted(got.rows, 'row')} and checksum {got.checksum}"
            result.append(
                f"{table} of {source.name} {what}, but its manifest says {counted(said.rows, 'row')} and checksum "
                f"{said.checksum}"
            )
    return result


def replace(connection: duckdb.DuckDBPyConnection, source: Source, wanted: Collection[str]) -> None:
    """Replace tables and views by those of `source` with the same names, in one transaction. Names that `source` lacks
    are removed.

    The table `ops.builds` stores how far each model has read its inputs. Its entry for a model is restored together
    with the model's table, so that the next run brings the table up to date.
    """
    connection.execute(f"ATTACH {literal(str(source.database))} AS restored (READ_ONLY)")
    try:
        views = views_of(connection, "restored")
        ddl = _statements(connection)
        connection.execute("BEGIN")
        for table in sorted(wanted, key=lambda name: (name in views, name)):
            _drop(connection, table)
            schema, _, name = table.partition(".")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {relation(schema)}")
            for statement in ddl.get(table, ()):
                connection.execute(statement)
                if statement is ddl[table][0] and table not in views:
                    connection.execute(f"INSERT INTO {relation(table)} BY NAME FROM restored.{relation(table)}")
            _rewind(connection, name)
        connection.execute("COMMIT")
    except duckdb.Error:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("DETACH restored")


def note(
    connection: duckdb.DuckDBPyConnection, restore: str, source: str, *, what: str, by: str, now: datetime
) -> None:
    """Write into the warehouse itself that this restore made it. After a kill, the note shows whether the file was
    already put in place.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS ops")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {RESTORES} (restore_id VARCHAR NOT NULL, source VARCHAR NOT NULL, "
        "restored VARCHAR NOT NULL, restored_by VARCHAR NOT NULL, restored_at TIMESTAMP NOT NULL)"
    )
    connection.execute(
        f"INSERT INTO {RESTORES} VALUES (?, ?, ?, ?, ?)", [restore, source, what, by, now.replace(tzinfo=None)]
    )


def has_note(database: Path, restore: str) -> bool:
    """Whether this restore made the warehouse."""
    try:
        with opened(database, read_only=True) as connection:
            return bool(connection.execute(f"SELECT 1 FROM {RESTORES} WHERE restore_id = ?", [restore]).fetchone())
    except duckdb.Error:
        return False


def _statements(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """`schema.name` → the statements that create it. The statement for the table or view comes first, then those for
    its indexes.
    """
    result: dict[str, list[str]] = {}
    for query in (
        "SELECT schema_name || '.' || table_name, sql FROM duckdb_tables() WHERE database_name = 'restored'",
        "SELECT schema_name || '.' || view_name, sql FROM duckdb_views() WHERE database_name = 'restored' "
        "AND NOT internal",
        "SELECT schema_name || '.' || table_name, sql FROM duckdb_indexes() WHERE database_name = 'restored' "
        "AND sql IS NOT NULL",
    ):
        for name, sql in connection.execute(query).fetchall():
            result.setdefault(name, []).append(sql)
    return result


def _drop(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    kind = "VIEW" if table in views_of(connection) else "TABLE"
    connection.execute(f"DROP {kind} IF EXISTS {relation(table)}")


def _rewind(connection: duckdb.DuckDBPyConnection, model: str) -> None:
    there = {
        row[0]
        for row in connection.execute(
            "SELECT database_name FROM duckdb_tables() WHERE schema_name = 'ops' AND table_name = 'builds'"
        ).fetchall()
    }
    here = connection.execute("SELECT current_database()").fetchone()
    if here is None or not {here[0], "restored"} <= there:
        return
    connection.execute("DELETE FROM ops.builds WHERE model = ?", [model])
    connection.execute("INSERT INTO ops.builds BY NAME FROM restored.ops.builds WHERE model = ?", [model])
