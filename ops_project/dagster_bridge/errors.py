"""What Dagster recorded of an error."""

from __future__ import annotations

from dagster_shared.error import SerializableErrorInfo


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The first cause: it says what happened, where the outer ones say in which step."""
    while error.cause is not None:
        error = error.cause
    return error
