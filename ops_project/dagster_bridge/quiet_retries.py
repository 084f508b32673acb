"""Keeps the warnings of `dagster-postgres` off the terminal. While the server is down, `dagster-postgres` tries six
times to connect, and writes four lines about each attempt. The error after the last attempt says the same once, with
the next step.
"""

from __future__ import annotations

import logging

BEGINNINGS = ("Retrying failed database connection", "Retrying failed database creation")


def _is_no_retry(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(BEGINNINGS)


def quiet_retries() -> None:
    """Stop this process from printing the warnings about repeated attempts to connect."""
    root = logging.getLogger()
    root.addFilter(_is_no_retry)  # A filter that is there already is not added again.
    if not root.handlers:
        # Without a handler, the first warning would add one, which prints every record of Dagster a second time.
        root.addHandler(logging.NullHandler())
