"""What holds for every test: the settings that a command exports to its children end with the test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

EXPORTED = ("OPS_", "DAGSTER_HOME")


@pytest.fixture(autouse=True)
def _settings_end_with_the_test() -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith(EXPORTED)}
    yield
    for name in [name for name in os.environ if name.startswith(EXPORTED) and name not in before]:
        del os.environ[name]
    os.environ.update(before)
