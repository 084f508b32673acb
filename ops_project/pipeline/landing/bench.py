"""The connection on which a file is read and examined before its rows go into the warehouse. If a contract contains no
SQL, its files are examined on the warehouse's own connection, so that the rows need no copy. If a contract contains
SQL, a separate in-memory engine evaluates the SQL. That engine can open files of one folder, and nothing else: no other
file, no network, no extension, and not the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.read.fragments import fragments
from ops_project.sql_text import literal


def without_file_cache(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn off DuckDB's file cache on a connection that reads files. Otherwise DuckDB may give the old content from
    memory if a file is replaced by another file with the same name and the same modification time.
    """
    connection.execute("SET enable_external_file_cache = false")


def needs_bench(feed: Feed) -> bool:
    """True if the contract contains SQL."""
    return next(fragments(feed), None) is not None


@contextmanager
def closed_engine(
    folder: Path, like: duckdb.DuckDBPyConnection | None = None, file: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory engine with the limits of `like`. It can read only `file` and the files in `folder`, and it writes
    its temporary files into `folder`.
    """
    with duckdb.connect() as connection:
        if like is not None:
            [(memory, threads)] = like.execute(
                "SELECT current_setting('memory_limit'), current_setting('threads')"
            ).fetchall()
            connection.execute(f"SET memory_limit = '{memory}'; SET threads = {int(threads)}")
        connection.execute(
            f"""
            SET TimeZone = 'UTC';
            SET enable_progress_bar = false;
            SET preserve_insertion_order = true;
            SET autoinstall_known_extensions = false;
            SET autoload_known_extensions = false;
            SET temp_directory = {literal(str(folder / "spill"))};
            SET allowed_directories = [{literal(str(folder))}];
            SET allowed_paths = [{literal(str(file)) if file is not None else ""}];
            SET enable_external_access = false
            """
        )
        yield connection
