"""Writes the tables of a database to files, creates them again from the files, and compares them by checksum. A copy
has the content of the database at one moment. It is restored in one transaction, so completely or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops_project.counted import counted
from ops_project.pipeline.recovery.databases import schema as schemas
from ops_project.pipeline.recovery.databases.connect import (
    Connection,
    Database,
    DatabaseUnusable,
    rows,
    run,
    schema_of,
    shown,
    transaction,
)
from ops_project.pipeline.recovery.databases.schema import Schema, Table
from ops_project.process.kill_points import reach
from ops_project.sql_text import identifier

SCHEMA, SUFFIX = "schema.json", ".rows"


@dataclass(frozen=True)
class TableCopy:
    """A copied table.

    `file`: the file with the rows.
    `rows`: the number of rows.
    `checksum`: the SHA-256 of the rows as text, in their order.
    """

    file: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class Kept:
    """The result of `load`.

    `schema`: the schema in which the earlier tables are kept; empty if there were none.
    """

    schema: str = ""
    already: bool = False
    """True if the database was already equal to the copy, so that nothing was done."""


def dump(database: Database, folder: Path) -> dict[str, TableCopy]:
    """Copy every table of the database into `folder`, which must be empty. Raises DatabaseUnusable if the server fails,
    if the database has no table, or if it has objects that a copy cannot restore.
    """
    with transaction(database, read_only=True) as connection:
        found = schemas.read(connection)
        if found.unknown:
            raise DatabaseUnusable(
                f"{database.what} at {shown(connection)} cannot be copied, because it holds {', '.join(found.unknown)}"
            )
        if not found.tables:
            raise DatabaseUnusable(f"{database.what} at {shown(connection)} holds no table")
        copies = {}
        for number, table in enumerate(found.tables):
            file = f"{number:03d}{SUFFIX}"
            with (folder / file).open("wb") as target:
                count, checksum = _written(connection, table, target)
            copies[table.name] = TableCopy(file, count, checksum)
    (folder / SCHEMA).write_text(json.dumps(found.dump(), indent=1), encoding="utf-8")
    return copies


def rehearse(database: Database, folder: Path, copies: dict[str, TableCopy]) -> list[str]:
    """Restore the copy as a trial: create it in a separate schema on the server, compare it, and roll back. Returns the
    differences. Raises DatabaseUnusable if the copy cannot be judged, for example because the server cannot be reached
    or the user has no right to create a schema.
    """
    with transaction(database) as connection:
        _new_schema(connection, f"ops_proof_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}")
        _load(connection, folder)
        found = differences(connection, database, copies)
        connection.rollback()
    return found


def load(database: Database, folder: Path, copies: dict[str, TableCopy], label: str) -> Kept:
    """Restore the database from the copy. The present content is moved into a schema `before_restore_LABEL`. If
    DatabaseUnusable is raised, nothing has changed.

    A call that was killed has done everything or nothing. The next call finds out which of the two is true.
    """
    with transaction(database) as connection:
        there = schemas.read(connection)
        if there.unknown:
            raise DatabaseUnusable(
                f"{database.what} at {shown(connection)} cannot be put aside, because it holds "
                f"{', '.join(there.unknown)}"
            )
        if {table.name for table in there.tables} == set(copies) and not differences(connection, database, copies):
            return Kept(already=True)
        kept = _aside(connection, there, label) if there.tables or there.sequences or there.functions else ""
        _load(connection, folder)
        found = differences(connection, database, copies)
        if found:
            raise DatabaseUnusable(f"{found[0]}. {database.what} was left as it is")
        reach(f"database:loaded:{database.name}")
    reach(f"database:there:{database.name}")
    return Kept(kept)


def reachable(database: Database) -> str:
    """The place of the database, in words. Raises DatabaseUnusable if the user may not create a schema in it."""
    with transaction(database) as connection:
        where = shown(connection)
        [(allowed,)] = rows(connection, "SELECT has_database_privilege(current_database(), 'CREATE')")
        if not allowed:
            raise _no_right(connection)
    return where


def differences(connection: Connection, database: Database, copies: dict[str, TableCopy]) -> list[str]:
    """The differences between the copy and the schema of this connection, in words."""
    found = []
    now = {table.name: table for table in schemas.read(connection).tables}
    for name, said in copies.items():
        if name not in now:
            found.append(f"{database.what}, table {name}: it is not there")
            continue
        count, checksum = _written(connection, now[name], _Nowhere())
        if (count, checksum) != (said.rows, said.checksum):
            what = f"{counted(count, 'row')}, not the {said.rows} of the copy" if count != said.rows else "other values"
            found.append(f"{database.what}, table {name}: {what}")
    return found


def _load(connection: Connection, folder: Path) -> None:
    schema, files = _schema(folder), _files(folder)
    schemas.make(connection, schema)
    with connection.cursor() as cursor:
        for table in schema.tables:
            columns = ", ".join(map(identifier, table.loaded()))
            with files[table.name].open("rb") as source:
                cursor.copy_expert(f"COPY {identifier(table.name)} ({columns}) FROM STDIN", source)
    schemas.finish(connection, schema)


def _schema(folder: Path) -> Schema:
    try:
        return Schema.load(json.loads((folder / SCHEMA).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseUnusable(f"{folder / SCHEMA} cannot be read, so the tables cannot be made: {error}") from None


def _files(folder: Path) -> dict[str, Path]:
    return {table.name: folder / f"{number:03d}{SUFFIX}" for number, table in enumerate(_schema(folder).tables)}


def _aside(connection: Connection, there: Schema, label: str) -> str:
    here = schema_of(connection)
    taken = {name for (name,) in rows(connection, "SELECT nspname FROM pg_namespace")}
    plain = "before_restore_" + "".join(letter if letter.isalnum() else "_" for letter in label)
    name = next(text for text in _numbered(plain) if text not in taken)
    _new_schema(connection, name, use=False)
    # The indexes and keys of a table, and the sequences of its columns, move with the table.
    for table in there.tables:
        run(connection, f"ALTER TABLE {identifier(here)}.{identifier(table.name)} SET SCHEMA {identifier(name)}")
    for sequence in there.sequences:
        if sequence.column is None:
            run(
                connection,
                f"ALTER SEQUENCE {identifier(here)}.{identifier(sequence.name)} SET SCHEMA {identifier(name)}",
            )
    for function, _ in there.functions:
        run(connection, f"ALTER FUNCTION {identifier(here)}.{function} SET SCHEMA {identifier(name)}")
    return name


def _numbered(name: str) -> Iterable[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _new_schema(connection: Connection, name: str, *, use: bool = True) -> None:
    [(allowed,)] = rows(connection, "SELECT has_database_privilege(current_database(), 'CREATE')")
    if not allowed:
        raise _no_right(connection)
    run(connection, f"CREATE SCHEMA {identifier(name)}")
    if use:
        run(connection, f"SET LOCAL search_path TO {identifier(name)}")


def _no_right(connection: Connection) -> DatabaseUnusable:
    info = connection.info
    return DatabaseUnusable(
        f"user {info.user} may not make a schema in database {info.dbname}, which proving and restoring need: "
        f"GRANT CREATE ON DATABASE {info.dbname} TO {info.user}"
    )


class _Nowhere:
    """Accepts bytes and discards them."""

    def write(self, data: bytes) -> int:
        return len(data)


class _Counted:
    """Passes on the rows of a COPY, counts them, and computes their checksum. Each line is one row, because COPY
    escapes line ends.
    """

    def __init__(self, target: Any) -> None:
        self.target, self.rows, self.digest = target, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.rows += data.count(b"\n")
        self.digest.update(data)
        self.target.write(data)
        return len(data)


def _written(connection: Connection, table: Table, target: Any) -> tuple[int, str]:
    """Write the rows of a table to `target`. Returns their number and their checksum."""
    counted = _Counted(target)
    # The columns are named, because their order may differ. A migration adds columns at the end, while a table that was
    # created in one step may have them elsewhere.
    columns = ", ".join(map(identifier, table.loaded()))
    with connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY (SELECT {columns} FROM {identifier(table.name)} ORDER BY {table.order}) TO STDOUT", counted
        )
    return counted.rows, counted.digest.hexdigest()
