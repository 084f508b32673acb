"""Interrupts queries that take the engine too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

AGAIN_SECONDS = 0.1


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt `connection` if the block takes longer than `seconds`. The running statement then raises
    duckdb.InterruptException. The engine forgets an interruption that comes between two statements. So the interruption
    is repeated until the block ends.
    """
    ended = threading.Event()

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            with suppress(duckdb.ConnectionException):  # The connection is already closed.
                connection.interrupt()
            wait = AGAIN_SECONDS

    watcher = threading.Thread(target=watch, name="time limit of a question", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        # No interruption may come after the block, because the connection may then have another use.
        watcher.join()
