"""Retries for what a retry can help, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ops_project.operations.failures import classify

# S3: two retries of a task; 5 s, then 10 s, with jitter so that two runs do not meet again.
RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
TASK_SECONDS = 3_600
TEST_SECONDS = 1_800
# No retry after these, and no wrapping either: they say already what is to happen.
_SPEAK_FOR_THEMSELVES = (dg.Failure, dg.RetryRequested)


@contextmanager
def classified(what: str) -> Iterator[None]:
    """Raise permanent errors as dg.Failure without retries; transient ones as they are, for the step's retry policy."""
    try:
        yield
    except _SPEAK_FOR_THEMSELVES:
        raise
    except Exception as error:
        found = classify(error)
        if found.transient:
            raise
        raise dg.Failure(
            description=f"{what}: {type(error).__name__}: {error}",
            metadata={"failure_class": found.failure_class, "transient": False, "because": found.because},
            allow_retries=False,
        ) from error
