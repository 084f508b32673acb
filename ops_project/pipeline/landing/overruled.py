"""Finds the other dates that a delivery changes besides its own date. Every date that holds a key of the delivered or
removed rows must be built anew. There are three cases:

- A record comes again with another date. It then leaves its old date. If the file that moved it is corrected, it
  returns to the old date.
- The rows of a feed count on the date of another feed's record (`dated_by`). The dates of that record change too. While
  the record is missing, such rows count on their own date. So a delivery of the record also changes the dates of these
  rows.
- The rows of a feed are valid for some days (`valid_days`). Those days change too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

import duckdb

from ops_project.model.days import days_later
from ops_project.model.feed.delivery_rules import DatedBy
from ops_project.model.feed.feed import Feed
from ops_project.sql_text import identifier

KEYS = "landing_keys"
"""Temporary table of the keys whose rows a batch adds or removes."""


def identity(feed: Feed) -> tuple[str, ...]:
    """The columns that identify a record on all dates. Empty if a row cannot move to another date."""
    if feed.business_date == "file":
        return ()
    columns = feed.replaces_by or feed.key
    if feed.business_date in columns:
        columns = ()
    return tuple(dict.fromkeys((*columns, *(feed.dated_by.columns if columns and feed.dated_by else ()))))


class Overruled:
    """The dates that a batch of a feed changes. Whether any key matters is asked once, because the contracts and the
    tables of other feeds stay as they are while one feed lands.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
        self._connection, self._feed = connection, feed

    def remember(self, rows: str, parameters: Sequence[object] = ()) -> None:
        """Remember the keys of these rows. Call this before rows are deleted, and after rows were inserted.

        `rows`: a relation, as it is written after FROM.
        """
        if not self._columns:
            return
        columns = ", ".join(map(identifier, self._columns))
        into = f"INSERT INTO temp.{KEYS}" if _remembers(self._connection) else f"CREATE TEMP TABLE {KEYS} AS"
        self._connection.execute(f"{into} SELECT DISTINCT {columns} FROM {rows}", list(parameters))

    def dates(self) -> set[date]:
        """The dates on which the remembered keys have rows now. Afterwards the keys are forgotten."""
        connection, feed = self._connection, self._feed
        if not self._columns or not _remembers(connection):
            return set()
        found: set[date] = set()
        if identity(feed):
            found = _dates_of(connection, f"bronze.{identifier(feed.name)}", feed.replaces_by or feed.key)
        for follower, columns in self._followers:
            found |= _dates_of(connection, f"bronze.{identifier(follower)}", columns)
        if feed.dated_by is not None and _exists(connection, feed.dated_by.feed):
            found |= _dates_of(connection, f"bronze.{identifier(feed.dated_by.feed)}", feed.dated_by.columns)
        connection.execute(f"DROP TABLE IF EXISTS temp.{KEYS}")
        return found

    @cached_property
    def _followers(self) -> list[tuple[str, tuple[str, ...]]]:
        """The landed feeds whose rows count on the date of this feed's records, and the columns that they have in
        common with this feed.
        """
        noted = self._connection.execute(
            "SELECT feed, dated_by FROM ops.feeds WHERE domain = ? AND dated_by IS NOT NULL", [self._feed.domain]
        ).fetchall()
        known = [(name, DatedBy.model_validate_json(text)) for name, text in sorted(noted)]
        return [
            (name, by.columns) for name, by in known if by.feed == self._feed.name and _exists(self._connection, name)
        ]

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        """The columns of the keys that matter. Empty if no other date can change."""
        shared = [name for _, columns in self._followers for name in columns]
        return tuple(dict.fromkeys((*identity(self._feed), *shared)))


def with_days_after(feed: Feed, touched: Iterable[date]) -> list[date]:
    """The dates, and the days after them on which their rows count too (`valid_days`), in order."""
    return sorted({days_later(day, n) for day in touched for n in range(feed.valid_days + 1)})


def _remembers(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE table_name = ? AND database_name = 'temp'", [KEYS]
    ).fetchone()
    return found is not None


def _dates_of(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> set[date]:
    same = " AND ".join(f"delivered.{identifier(name)} = known.{identifier(name)}" for name in columns)
    rows = connection.execute(
        f"SELECT DISTINCT delivered.business_date FROM {table} AS delivered SEMI JOIN temp.{KEYS} AS known ON {same}"
    ).fetchall()
    return {row[0] for row in rows}


def _exists(connection: duckdb.DuckDBPyConnection, feed: str) -> bool:
    return bool(
        connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'bronze' AND table_name = ?"
            " AND database_name = current_database()",
            [feed],
        ).fetchone()
    )
