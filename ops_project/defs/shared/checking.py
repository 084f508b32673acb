"""Limits the time of a step of checks in a run, and handles its interruption."""

from __future__ import annotations

from contextlib import AbstractContextManager

import dagster as dg

from ops_project.defs.shared.permanent import TEST_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession


def guarded(context: dg.AssetCheckExecutionContext) -> AbstractContextManager[None]:
    """A context manager around a step of checks. If the step takes too long, or a person stops the run, the step fails
    without a retry, and no later step begins.
    """
    session: RunSession = context.resources.warehouse
    return classified(context.op_execution_context.op_def.name, session, TEST_SECONDS)
