"""The attempt of the running step: its number, its log, and the tags that stop Dagster's own retries of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from dagster._core.execution.context.compute import current_execution_context

# This tag stops the run retries of the daemon, whatever dagster.yaml says about them.
NO_RUN_RETRIES = {"dagster/max_retries": "0", "dagster/retry_on_asset_or_op_failure": "false"}


@dataclass(frozen=True)
class Attempt:
    """One attempt of one step."""

    number: int
    """The number of the attempt, from 1."""
    warn: Callable[[str], None]
    """Writes into the log of the run, which is kept with its events."""
    stop_run_retries: Callable[[], None]


def current_attempt() -> Attempt | None:
    """The attempt that runs now; None outside of a step."""
    context = current_execution_context.get()
    if context is None:
        return None
    step = context.op_execution_context

    def stop_run_retries() -> None:
        instance: dg.DagsterInstance = step.instance
        if instance.has_run(step.run_id):
            instance.add_run_tags(step.run_id, NO_RUN_RETRIES)

    return Attempt(step.retry_number + 1, step.log.warning, stop_run_retries)
