"""Every failure that persists was sent to its owner or has a stated reason, and nothing else is sent: random
histories.
"""

from __future__ import annotations

import pytest

from tests.operations.alerting.told_machine import run


def test_every_failure_is_told_or_has_a_reason_and_nothing_else_is_told():
    run(examples=6)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_failure_is_told_or_has_a_reason_in_long_histories():
    run(examples=600, steps=60)
