"""Removes a warning of Dagster that is wrong for tables on hold. No run builds a table on hold
until a person releases the hold.

If a blocking check emitted no result, Dagster warns that a step "will proceed without gating". The checks of a table on
hold emit no result, and the steps downstream of the table are skipped. So the warning is wrong there, and one run
printed it twenty times.

If a table was built and one of its checks gave no result, the run's own summary says so, and the table is not
published.
"""

from __future__ import annotations

import logging

from dagster._core.execution.plan import active

WORDS = "will proceed without gating on it"


def _keeps(record: logging.LogRecord) -> bool:
    return WORDS not in record.getMessage()


def leave_out() -> None:
    """Remove the warning in this process."""
    if _keeps not in active.logger.filters:
        active.logger.addFilter(_keeps)
