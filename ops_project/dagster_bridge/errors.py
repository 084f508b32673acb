"""The errors that Dagster recorded."""

from __future__ import annotations

from dagster_shared.error import SerializableErrorInfo

from ops_project.failures.text import CAUSED, DURING


def log_of(error: SerializableErrorInfo) -> str:
    """The text of an error without lines of code. Its causes come before it, as Python prints them."""
    said = str(error.message).strip()
    while (before := error.cause or error.context) is not None:
        said = f"{str(before.message).strip()}\n\n{CAUSED if error.cause is not None else DURING}\n\n{said}"
        error = before
    return said


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The first cause of an error. The first cause says what happened; the outer errors only name the step."""
    while error.cause is not None:
        error = error.cause
    return error
