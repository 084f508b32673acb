"""Connections to a PostgreSQL that belongs to a home. Their settings make equal rows give equal text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ops_project.pipeline.recovery.decide.target import RestoreError

if TYPE_CHECKING:
    import psycopg2.extensions

    Connection: TypeAlias = psycopg2.extensions.connection
else:
    Connection = Any  # The driver is imported only when a database is used.

CONNECT_SECONDS = 10
# How long to wait for a table that another process has locked. A run locks no table of the ledger for longer than a
# second.
LOCK = "30s"
SESSION = f"""
    SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
    SET bytea_output = 'hex'; SET client_encoding = 'UTF8'; SET lock_timeout = '{LOCK}'; SET xmloption = 'content';
"""
_SCHEME = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://")


@dataclass(frozen=True)
class Database:
    """One schema of a PostgreSQL. It is the schema in which a connection finds its tables."""

    name: str
    """The name of the copy in a backup: ledger, dagster or registry."""
    what: str
    """The name for people, for example "the ledger"."""
    url: str = field(repr=False)
    """The URL in the form of SQLAlchemy or libpq. It may contain a password."""


class DatabaseUnusable(RestoreError):
    """A database cannot be read or written. The message names the database and the reason, without a password."""


def is_postgres(url: str) -> bool:
    """Whether this is the URL of a PostgreSQL."""
    return _SCHEME.match(url) is not None


def shown(connection: Connection) -> str:
    """The place of the database, for people: host, port, database and schema."""
    info = connection.info
    place = info.host if info.host.startswith("/") else f"{info.host}:{info.port}"
    return f"{place}/{info.dbname}, schema {schema_of(connection)}"


def schema_of(connection: Connection) -> str:
    """The schema in which new tables are created. Raises DatabaseUnusable if the connection has no such schema."""
    [(name,)] = rows(connection, "SELECT current_schema()")
    if name is None:
        raise DatabaseUnusable("the connection has no schema: no schema of its search_path exists")
    return str(name)


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return cursor.fetchall()


def run(connection: Connection, statement: str, *values: object) -> None:
    """Execute a statement without a result."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


@contextmanager
def transaction(database: Database, *, read_only: bool = False) -> Iterator[Connection]:
    """One transaction. It sees the state of the database at one moment, and searches only the schema of the database.
    The transaction is rolled back if the block raises an error. Raises DatabaseUnusable for every error of the server.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(
            _SCHEME.sub("postgresql://", database.url), connect_timeout=CONNECT_SECONDS, application_name="ops backup"
        )
    except psycopg2.Error as error:
        raise DatabaseUnusable(f"{database.what} cannot be reached: {_words(error)}") from None
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=read_only)
        run(connection, SESSION)
        run(connection, "SELECT set_config('search_path', quote_ident(%s), false)", schema_of(connection))
        connection.commit()
        yield connection
        connection.commit()
    except psycopg2.Error as error:
        raise DatabaseUnusable(f"{database.what} in PostgreSQL cannot be used: {_words(error)}") from None
    finally:
        connection.close()


def _words(error: Exception) -> str:
    text = re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", " ".join(str(error).split()))
    return text or type(error).__name__
