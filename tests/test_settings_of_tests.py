"""Variables that a fixture or a test exports for its own process are not seen by later tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ops_project.settings import Settings

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(home=tmp_path_factory.mktemp("shared"), as_of=NOW)
    settings.export()
    yield settings


@pytest.mark.parametrize("time", ["first", "second"])
def test_nothing_is_left_of_what_was_exported(shared: Settings, time: str) -> None:
    assert os.environ.get("OPS_HOME") != str(shared.home), time
    Settings(home=shared.home, as_of=NOW).export()
