"""Ends a question that takes the engine too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

AGAIN_SECONDS = 0.1


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt `connection` if this block takes longer than `seconds`. The running statement then raises
    duckdb.InterruptException. The interruption is repeated, because the engine forgets an interruption that comes
    between two statements, and then the next statement would not end.
    """
    ended = threading.Event()

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            with suppress(duckdb.ConnectionException):  # The connection is closed already.
                connection.interrupt()
            wait = AGAIN_SECONDS

    watcher = threading.Thread(target=watch, name="time limit of a question", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        # No interruption may come after the block, because the connection may then be used for something else.
        watcher.join()
