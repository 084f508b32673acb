"""Rows that one DuckDB engine has and another engine writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

HANDED_OVER = "landing_handed_over"
# The number of rows that another engine passes at a time.
PORTION = 100_000


@contextmanager
def readable(connection: duckdb.DuckDBPyConnection, engine: duckdb.DuckDBPyConnection, query: str) -> Iterator[str]:
    """SQL that gives the rows of `query` on `connection`. If another engine holds the rows, they are streamed from that
    engine.
    """
    if engine is connection:
        yield query
        return
    connection.register(HANDED_OVER, engine.execute(query).to_arrow_reader(PORTION))
    try:
        yield f"SELECT * FROM {HANDED_OVER}"
    finally:
        connection.unregister(HANDED_OVER)
