"""Reads a table of PostgreSQL through DuckDB's extension. It only reads, and only what has changed.

- Everything that changed since the newest known change (the watermark) is read, with an overlap. A transaction that
  commits late can have an earlier time than one that was already read.
- A day is written as a whole. Bronze may hold versions of rows that the source has overwritten since. The file includes
  them, so that none is lost when it replaces the old file.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from ops_project.model.feed.feed import Feed

WATERMARK = "updated_at"
OVERLAP = timedelta(days=2)
ALIAS = "source_system"


class SourceError(RuntimeError):
    """The source system cannot be read. The message says why, without the password."""


def extract(url: str, feed: Feed, warehouse: duckdb.DuckDBPyConnection, *, inbound: Path, now: datetime) -> list[Path]:
    """Write one file for each day with new rows, up to `now`. Returns the files. If SourceError is raised, no file is
    half-written.

    `url`: a libpq connection string or URI. The table has the feed's name and the contract's columns.
    `warehouse`: the connection to the warehouse, which holds bronze.
    """
    columns = ", ".join(feed.at(now.date()).columns)
    upto = now.astimezone(UTC).replace(tzinfo=None)
    with duckdb.connect() as connection:
        _attach(connection, url)
        since = _watermark(warehouse, feed)
        condition = "" if since is None else f"and {WATERMARK} >= timestamp '{since - OVERLAP}'"
        try:
            # PostgreSQL evaluates the condition, so that only changed rows cross the network.
            connection.execute(
                f"create temp table fresh as select {columns} from {ALIAS}.{feed.name}"
                f" where {WATERMARK} <= timestamp '{upto}' {condition}"
            )
        except duckdb.Error as error:
            raise SourceError(f"table {feed.name} cannot be read: {_clean(error, url)}") from None
        days = [
            row[0] for row in connection.execute(f"select distinct {WATERMARK}::date from fresh order by 1").fetchall()
        ]
        _copy_known(connection, warehouse, feed, columns, days)
        return [path for day in days if (path := _write(connection, feed, columns, day, inbound)) is not None]


def _attach(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    found = find_spec("duckdb_extension_postgres")
    if found is None or not found.submodule_search_locations:
        raise SourceError("the package duckdb-extension-postgres is not installed")
    builds = Path(found.submodule_search_locations[0]) / "extensions" / f"v{duckdb.__version__}"
    file = builds / "postgres.duckdb_extension"
    if not file.is_file():
        raise SourceError(
            f"duckdb-extension-postgres has no build for DuckDB {duckdb.__version__}: install the same version"
        )
    try:
        # DuckDB derives the name of the entry point from the file's name. In the wheel, the file is named after an
        # alias of the extension.
        with TemporaryDirectory() as folder:
            named = Path(folder) / "postgres_scanner.duckdb_extension"
            named.symlink_to(file)
            connection.execute(f"load '{named}'")
        connection.execute(f"attach '{url.replace(chr(39), chr(39) * 2)}' as {ALIAS} (type postgres, read_only)")
    except duckdb.Error as error:
        raise SourceError(f"PostgreSQL cannot be reached: {_clean(error, url)}") from None


def _clean(error: Exception, url: str) -> str:
    """The error without the connection string, which may contain a password."""
    return str(error).replace(url, "OPS_INVESTOR_POSTGRES_URL").splitlines()[0]


def _watermark(warehouse: duckdb.DuckDBPyConnection, feed: Feed) -> datetime | None:
    """The time of the newest change in bronze; None if bronze has no rows of the feed."""
    row = warehouse.execute(f"select max({WATERMARK}) from bronze.{feed.name}").fetchone()
    found: datetime | None = row[0] if row else None
    return found


def _copy_known(
    connection: duckdb.DuckDBPyConnection,
    warehouse: duckdb.DuckDBPyConnection,
    feed: Feed,
    columns: str,
    days: list[date],
) -> None:
    known = warehouse.execute(
        f"select {columns} from bronze.{feed.name} where list_contains(?, {WATERMARK}::date)", [days]
    ).to_arrow_table()
    connection.register("known_rows", known)
    connection.execute("create temp table known as select distinct * from known_rows")
    connection.unregister("known_rows")


def _write(connection: duckdb.DuckDBPyConnection, feed: Feed, columns: str, day: date, inbound: Path) -> Path | None:
    """Write the file of a day. None if bronze already holds all of its rows."""
    that_day = f"where {WATERMARK}::date = date '{day}'"
    row = connection.execute(
        f"select count(*) from (select {columns} from fresh {that_day} except select {columns} from known)"
    ).fetchone()
    if not row or not row[0]:
        return None
    folder = inbound / feed.domain
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{feed.name}_{day:%Y%m%d}.partial"
    connection.execute(
        # The contract allows a key only once in a file. So if a key has several versions on a day, only the last is
        # written.
        f"copy (select {columns} from (from fresh {that_day} union from known {that_day})"
        f" qualify row_number() over (partition by {', '.join(feed.key)} order by {WATERMARK} desc) = 1"
        f" order by {', '.join(feed.key)}) to '{str(partial).replace(chr(39), chr(39) * 2)}'"
        " (format csv, header true)"
    )
    digest = hashlib.sha256(partial.read_bytes()).hexdigest()[:8]
    return partial.rename(folder / f"{feed.name}_{day:%Y%m%d}_{digest}.csv")
