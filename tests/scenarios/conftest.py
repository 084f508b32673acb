from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., World]:
    def make(**options: Any) -> World:
        return World(monkeypatch, tmp_path, **options)

    return make
