"""The warning that a step proceeds without a check is not printed; other warnings of the same module are."""

from __future__ import annotations

import inspect

import pytest
from dagster._core.execution.plan import active

from ops_project.dagster_bridge import check_warnings


def test_only_this_warning_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    check_warnings.leave_out()
    check_warnings.leave_out()
    assert active.logger.filters.count(check_warnings._keeps) == 1
    active.logger.warning(f"Blocking asset check 'a:b' emitted no result; step 'c' {check_warnings.WORDS}.")
    active.logger.warning("another one")
    assert caplog.messages == ["another one"]
    assert check_warnings.WORDS in inspect.getsource(active), "Dagster still writes it so"
