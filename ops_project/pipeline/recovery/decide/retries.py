"""Decides whether a failed attempt is repeated, when and why. The module is pure: the random number is an argument.

Only failures that pass by themselves are retried. Each failure class has its own pauses. An unknown failure is not
retried: nothing shows that a retry can help, and the retry would only hide the failure for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ops_project.model.failure_class import FailureClass


@dataclass(frozen=True)
class Pauses:
    """How often a failure of a class is retried, and after which pauses."""

    retries: int
    seconds: float
    """The pause before the first retry."""
    backoff: float = 1.0
    """The factor from one pause to the next."""


# A service that does not answer needs longer and longer pauses. A lock or a slow moment on this machine passes soon or
# never.
SERVICE = Pauses(retries=5, seconds=10, backoff=2)
LOCAL = Pauses(retries=3, seconds=5)
PAUSES: Mapping[FailureClass, Pauses] = {"connection_failure": SERVICE, "lock_contention": LOCAL, "timeout": LOCAL}
JITTER = 0.25
"""Each pause is longer or shorter by a random share, up to this one. So two attempts that failed at the same time are
not repeated at the same time.
"""
MOST_RETRIES = max(pauses.retries for pauses in PAUSES.values())


class Reason(Enum):
    """Why an attempt is followed by another one, or is the last one."""

    TRANSIENT = "such a failure passes by itself"
    PERMANENT = "such a failure stays until somebody mends it"
    EXHAUSTED = "every attempt has failed"


@dataclass(frozen=True)
class Decision:
    """The decision after a failed attempt."""

    reason: Reason
    failure_class: FailureClass
    attempt: int
    """The number of the failed attempt, from 1."""
    attempts: int
    """The largest number of attempts."""
    seconds: float | None = None
    """The pause before the next attempt; None if there is no next attempt."""

    @property
    def retry(self) -> bool:
        """Whether the step is tried again."""
        return self.seconds is not None

    @property
    def words(self) -> str:
        """The decision in words, for the log of the run."""
        if self.seconds is not None:
            return (
                f"attempt {self.attempt} of {self.attempts} failed ({self.failure_class}); tried again in "
                f"{self.seconds:.1f} s, because {self.reason.value}"
            )
        return f"not tried again after attempt {self.attempt} ({self.failure_class}): {self.reason.value}"


def decide(failure_class: FailureClass, transient: bool, attempt: int, chance: float) -> Decision:
    """The decision after attempt number `attempt`.

    `attempt`: begins at 1.
    `chance`: a random number from 0 to 1, which makes the pause longer or shorter.
    """
    pauses = PAUSES.get(failure_class, LOCAL) if transient else None
    if pauses is None:
        return Decision(Reason.PERMANENT, failure_class, attempt, attempt)
    attempts = pauses.retries + 1
    if attempt >= attempts:
        return Decision(Reason.EXHAUSTED, failure_class, attempt, attempts)
    seconds = pauses.seconds * pauses.backoff ** (attempt - 1)
    return Decision(
        Reason.TRANSIENT, failure_class, attempt, attempts, round(seconds * (1 + JITTER * (2 * chance - 1)), 3)
    )
