"""Errors that say nothing about the table of a check, because no check can be computed after them."""

from __future__ import annotations

import duckdb

ENDINGS = (duckdb.InterruptException, duckdb.FatalException)
"""An interruption, and an error after which the database refuses every statement."""


def ends_the_step(error: BaseException) -> bool:
    """Whether no later check of the step can be computed: this error is, or was caused by, an interruption or the death
    of the database.

    After an interruption, DuckDB refuses every further statement of the transaction. So the last error may not name the
    interruption.
    """
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        # An error that stops a step or a process (KeyboardInterrupt, or one of Dagster's) is not an Exception.
        if isinstance(one, ENDINGS) or not isinstance(one, Exception):
            return True
        seen.add(id(one))
        one = one.__cause__ or one.__context__
    return False
