"""Removes a warning of Dagster that is wrong where tables are on hold.

Dagster writes that a step "will proceed without gating" on a blocking check that emitted no result. A held table emits
none, and its downstream steps are skipped; a run printed twenty such lines. If a table was built and one of its checks
gave no result, the run's own summary says so, and the table is not published.
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
