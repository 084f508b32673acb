"""A world for each story about incidents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.operations.incidents.world import IncidentWorld

# This is a Wednesday in the week of Engineer A's shift. Engineer C is the backup.
WEDNESDAY = "2026-03-04 04:10"


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., IncidentWorld]:
    """Makes the world of a test, at a local time of New York."""

    def make(at: str = WEDNESDAY, **overlay: Any) -> IncidentWorld:
        return IncidentWorld(tmp_path, at, **overlay)

    return make
