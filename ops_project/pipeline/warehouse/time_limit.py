"""Ends a question to the engine that takes too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

AGAIN_SECONDS = 0.1


@contextmanager
def limited(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what `connection` does in this block after `seconds`: the statement raises duckdb.InterruptException.
    It is interrupted again and again, because the engine forgets an interruption that comes between two statements,
    and the next one would never end.
    """
    ended = threading.Event()

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            with suppress(duckdb.ConnectionException):  # the connection is closed already
                connection.interrupt()
            wait = AGAIN_SECONDS

    watcher = threading.Thread(target=watch, name="time limit of a question", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        # After the block, no interruption may come, because the connection may then work on something else.
        watcher.join()
