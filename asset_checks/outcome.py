"""What all kinds of checks share: how an error in one check is kept from the others, and how a verdict becomes a result
of Dagster.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import Any, TypeVar

import dagster as dg
import duckdb

from asset_checks.interruption import ends_the_step
from asset_checks.parameters import Parameters
from asset_checks.verdict import ERROR_SEVERITIES, Situation, Verdict

T = TypeVar("T")
Context = dg.AssetCheckExecutionContext
Guard = Callable[[Context], AbstractContextManager[None]]
"""A context manager around a step of checks. It limits the time of the step, and decides what happens to an error."""


def unguarded(_context: Context) -> AbstractContextManager[None]:
    """A guard that sets no limit and changes no error."""
    return nullcontext()


@contextmanager
def situation_of(
    context: Context,
    *,
    connect: Callable[[Context], duckdb.DuckDBPyConnection],
    clock: Callable[[Context], datetime],
    parameters: Parameters,
    timezone: str,
    guard: Guard,
    domain: str = "",
) -> Iterator[Situation]:
    """The Situation for the checks of a step. The step runs within its guard."""
    with guard(context):
        yield Situation(
            connection=connect(context),
            now=clock(context),
            run_id=context.run.run_id,
            parameters=parameters,
            timezone=timezone,
            domain=domain,
        )


def attempt(situation: Situation, name: str, table: str, compute: Callable[[Situation], T]) -> T | Verdict:
    """The result of `compute`. If the table does not exist, the verdict is unknown. If `compute` raises an error, the
    verdict is a failure of class `code_error`. An interruption, or the death of the database, is raised again, because
    it says nothing about the table and the step must end.
    """
    if not situation.exists(table):
        return Verdict.unknown(f"{table} does not exist yet: {name} is unknown.")
    try:
        return compute(situation)
    except Exception as error:
        if ends_the_step(error):
            raise
        return Verdict.fail(
            f"{name} of {table} could not be computed: {type(error).__name__}: {error}",
            "high",
            "code_error",
            error=type(error).__name__,
            trace="".join(traceback.format_exception(error)[-3:])[-2000:],
        )


def severity_of(verdict: Verdict, *, blocking: bool, at_any_severity: bool = False) -> dg.AssetCheckSeverity:
    """The severity for Dagster. A failed blocking check stops the tables that are built from its table only if its
    severity is an error.

    An unknown result is a warning. A blocking check that raised an error itself is a warning too. `at_any_severity`:
    every other failure is an error, whatever severity the verdict has.
    """
    is_error = verdict.status == "failed" and (at_any_severity or verdict.severity in ERROR_SEVERITIES)
    if blocking and verdict.failure_class == "code_error":
        is_error = False
    return dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN


def recorded(
    key: dg.AssetCheckKey, verdict: Verdict, severity: dg.AssetCheckSeverity, runbook: str | None = None
) -> dg.AssetCheckResult:
    """The verdict as a result of Dagster. Its evidence consists of plain values, and is complete enough to act on."""
    metadata: dict[str, Any] = {
        "status": verdict.status,
        "severity": "none" if verdict.passed else verdict.severity,
        **{name: _plain(value) for name, value in verdict.evidence.items() if value is not None},
    }
    if verdict.failure_class and not verdict.passed:
        metadata["failure_class"] = verdict.failure_class
    if runbook:
        metadata["runbook"] = runbook
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=severity,
        description=verdict.message,
        metadata=metadata,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    return json.loads(json.dumps(value, default=str))
