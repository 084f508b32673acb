"""Which failures are tried again, how often and after how long."""

from __future__ import annotations

from typing import get_args

import pytest

from ops_project import failures
from ops_project.model.failure_class import FailureClass
from ops_project.pipeline.recovery.decide.retries import JITTER, MOST_RETRIES, PAUSES, Reason, decide

TRANSIENT = set(failures.rules().transient)


def pauses(failure_class: FailureClass, chance: float = 0.5) -> list[float]:
    found = []
    for attempt in range(1, 20):
        decision = decide(failure_class, True, attempt, chance)
        if decision.seconds is None:
            assert decision.reason is Reason.EXHAUSTED and decision.attempts == attempt
            return found
        found.append(decision.seconds)
    raise AssertionError("it is tried for ever")


def test_a_service_is_given_longer_and_longer_and_this_machine_three_times_the_same() -> None:
    assert pauses("connection_failure") == [10, 20, 40, 80, 160]
    assert pauses("lock_contention") == pauses("timeout") == [5, 5, 5]


def test_two_that_failed_together_do_not_meet_again() -> None:
    shortest, longest = pauses("connection_failure", 0.0), pauses("connection_failure", 1.0)
    assert shortest[0] == 10 * (1 - JITTER) and longest[0] == 10 * (1 + JITTER)
    assert all(early < late for early, late in zip(shortest, longest, strict=True))


@pytest.mark.parametrize("failure_class", sorted(set(get_args(FailureClass)) - TRANSIENT))
def test_what_stays_until_somebody_mends_it_is_never_tried_again(failure_class: FailureClass) -> None:
    decision = decide(failure_class, failure_class in TRANSIENT, 1, 0.5)
    assert not decision.retry and decision.reason is Reason.PERMANENT
    assert failure_class in decision.words and "until somebody mends it" in decision.words


def test_every_transient_class_has_its_pauses() -> None:
    assert set(PAUSES) == TRANSIENT and MOST_RETRIES == 5
