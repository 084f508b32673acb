from __future__ import annotations

import pytest

from ops_project.moments import to_minute


@pytest.mark.parametrize("stored", ["2026-03-04T09:11:47.518518+00:00", "2026-03-04 04:11:47-05:00"])
def test_a_stored_moment_is_shown_to_the_minute_in_utc(stored: str) -> None:
    assert to_minute(stored) == "2026-03-04 09:11 UTC"
