"""Distinguishes a query that was interrupted from one that is broken. An interruption says nothing about the data."""

from __future__ import annotations

import duckdb


def was_interrupted(error: BaseException) -> bool:
    """Whether this error is an interruption, or was caused by one.

    After an interruption, DuckDB refuses every further statement of the transaction. So the last error may not name the
    interruption.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        # An error that stops a step or a process (KeyboardInterrupt, or one of Dagster's) is not an Exception.
        if isinstance(one, duckdb.InterruptException) or not isinstance(one, Exception):
            return True
        seen.add(id(one))
        one = one.__cause__ or one.__context__
    return False
