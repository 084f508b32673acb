"""Tells an interrupted query from a broken query. An interruption says nothing about the data."""

from __future__ import annotations

import duckdb


def was_interrupted(error: BaseException) -> bool:
    """Whether this error, or an error that caused it, is an interruption.

    DuckDB refuses every further statement of a transaction that was interrupted, so the last error may not name the
    interruption.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        # An error that stops a step or a process (KeyboardInterrupt, or Dagster's own) is not an Exception.
        if isinstance(one, duckdb.InterruptException) or not isinstance(one, Exception):
            return True
        seen.add(id(one))
        one = one.__cause__ or one.__context__
    return False
