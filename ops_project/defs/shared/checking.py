"""The limits around each step of checks in a run: its time limit, and the result of an interruption."""

from __future__ import annotations

from contextlib import AbstractContextManager

import dagster as dg

from ops_project.defs.shared.permanent import TEST_SECONDS, classified
from ops_project.defs.shared.run_session import RunSession


def guarded(context: dg.AssetCheckExecutionContext) -> AbstractContextManager[None]:
    """Around a step of checks. The step ends for good if a person stops the run or its time is up, and no later step
    begins.
    """
    session: RunSession = context.resources.warehouse
    return classified(context.op_execution_context.op_def.name, session, TEST_SECONDS)
