"""Repeats a failed step only if a retry can help. The failure class of each failed attempt decides this
(pipeline/recovery/decide/retries.py).

The decision is written into the run's log. If no attempt follows, it is also written into the failure that Dagster
keeps. A permanent failure stops the retries of the step and of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import random
from typing import Any, NoReturn, Protocol, cast

import dagster as dg

from ops_project.dagster_bridge.attempts import current_attempt
from ops_project.failures import classify
from ops_project.model.failure_class import FAILURE_CLASSES, FailureClass
from ops_project.pipeline.recovery.decide.retries import MOST_RETRIES, decide
from ops_project.process import interrupts
from ops_project.process.watchdog import Watchdog

BY_YOU = "interrupted by you"
TASK_SECONDS = 3_600
TEST_SECONDS = 1_800


class Stoppable(Protocol):
    """A run that can be stopped, such as the run session."""

    stopped: str | None

    def retried(self, words: str) -> None:
        """Record a failed attempt after which another attempt follows."""

    @property
    def watchdog(self) -> Watchdog: ...


@contextmanager
def classified(what: str, session: Stoppable | None = None, seconds: float | None = None) -> Iterator[None]:
    """Raise a permanent error of the block as dg.Failure without retries. Raise a transient error as a request to try
    again after a pause.

    Dagster alone would retry a step that was interrupted. Here a step that ran too long, or that a person stopped,
    fails for good, and the steps that follow do not begin.

    `what`: the name of the block in messages.

    `session`: the run. It remembers that it was stopped.

    `seconds`: the time limit of the block. It counts only with a session.
    """
    if session is not None and session.stopped:
        raise _final(f"{what}: not begun, {session.stopped}", "process_killed", session.stopped)
    try:
        if session is None or seconds is None:
            yield
        else:
            with session.watchdog.limit(what, seconds):
                yield
        # A library may have treated the interruption as an error of its own and continued.
        if session is not None and interrupts.pressed():
            raise KeyboardInterrupt
    except dg.RetryRequested:
        raise
    except dg.Failure as failure:
        found = _said(failure)
        if found is None:
            raise
        failure_class, transient, because = found
        _follow(
            failure,
            session,
            description=failure.description or what,
            failure_class=failure_class,
            transient=transient,
            because=because,
        )
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
    _follow(
        error,
        session,
        description=f"{what}: {type(error).__name__}: {error}",
        failure_class=found.failure_class,
        transient=found.transient,
        because=found.because,
    )


def _said(failure: dg.Failure) -> tuple[FailureClass, bool, str] | None:
    """The class that the failure states, whether a retry can help, and why. None if the failure states no class."""
    named, transient = (_value(failure, name) for name in ("failure_class", "transient"))
    if named not in FAILURE_CLASSES or _value(failure, "decision") is not None:
        return None
    return cast(FailureClass, named), transient is True, str(_value(failure, "because") or "")


def _value(failure: dg.Failure, name: str) -> Any:
    found = failure.metadata.get(name)
    return getattr(found, "value", found)


def _follow(
    error: BaseException,
    session: Stoppable | None,
    *,
    description: str,
    failure_class: FailureClass,
    transient: bool,
    because: str,
) -> NoReturn:
    """Asks for another attempt, or fails for good. The reason is logged and kept in both cases."""
    attempt = current_attempt()
    decision = decide(failure_class, transient, attempt.number if attempt is not None else 1, random())
    if attempt is not None:
        attempt.warn(f"{decision.words}: {because}")
    if decision.seconds is not None:
        if session is not None:
            session.retried(f"{description.partition(':')[0]}: {decision.words}")
        raise dg.RetryRequested(max_retries=MOST_RETRIES, seconds_to_wait=decision.seconds) from error
    if attempt is not None:
        attempt.stop_run_retries()
    raise _final(description, failure_class, because, transient=transient, decision=decision.words) from error


def _final(
    description: str, failure_class: str, because: str, *, transient: bool = False, decision: str = "not tried again"
) -> dg.Failure:
    return dg.Failure(
        description=description,
        metadata={
            "failure_class": failure_class,
            "transient": transient,
            "because": because,
            "decision": decision,
        },
        allow_retries=False,
    )
