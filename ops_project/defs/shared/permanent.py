"""Retries for what a retry can help, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import dagster as dg

from ops_project.failures import classify
from ops_project.process import interrupts
from ops_project.process.watchdog import Watchdog

# The e-commerce document: two retries of a task; 5 s, then 10 s, with jitter so that two runs do not meet again.
RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
BY_YOU = "interrupted by you"
TASK_SECONDS = 3_600
TEST_SECONDS = 1_800
# No retry after these, and no wrapping either: they say already what is to happen.
_SPEAK_FOR_THEMSELVES = (dg.Failure, dg.RetryRequested)


class Stoppable(Protocol):
    """A run that can be told to stop: the run session."""

    stopped: str | None

    @property
    def watchdog(self) -> Watchdog: ...


@contextmanager
def classified(what: str, session: Stoppable | None = None, seconds: float | None = None) -> Iterator[None]:
    """Raise permanent errors as dg.Failure without retries; transient ones as they are, for the step's retry policy.

    With a session the block may take `seconds`. Dagster retries a step that was interrupted: here what ran too long,
    and what somebody stopped, fails for good, and the steps that follow do not begin.
    """
    if session is not None and session.stopped:
        raise _final(f"{what}: not begun, {session.stopped}", "process_killed", session.stopped)
    try:
        if session is None or seconds is None:
            yield
        else:
            with session.watchdog.limit(what, seconds):
                yield
    except _SPEAK_FOR_THEMSELVES:
        raise
    except BaseException as error:
        if session is not None and interrupts.pressed():
            session.stopped = BY_YOU
            raise _final(f"{what}: {BY_YOU}", "process_killed", BY_YOU) from error
        _raise_classified(error, what, session)


def _raise_classified(error: BaseException, what: str, session: Stoppable | None) -> NoReturn:
    if isinstance(error, KeyboardInterrupt | dg.DagsterExecutionInterruptedError):
        if session is None:
            raise error
        overrun = session.watchdog.overrun
        session.stopped = str(overrun) if overrun is not None else "the run was interrupted"
        failure_class = "timeout" if overrun else "process_killed"
        raise _final(f"{what}: {session.stopped}", failure_class, session.stopped) from error
    if not isinstance(error, Exception):
        raise error
    found = classify(error)
    if found.transient:
        raise error
    message = f"{what}: {type(error).__name__}: {error}"
    raise _final(message, found.failure_class, found.because) from error


def _final(description: str, failure_class: str, because: str) -> dg.Failure:
    return dg.Failure(
        description=description,
        metadata={"failure_class": failure_class, "transient": False, "because": because},
        allow_retries=False,
    )
