"""What Dagster recorded of an error."""

from __future__ import annotations

from dagster_shared.error import SerializableErrorInfo


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The first cause of an error. It says what happened; the outer errors say only in which step."""
    while error.cause is not None:
        error = error.cause
    return error
