from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops_project.settings import Settings
from tests.scenarios import homes
from tests.scenarios.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., World]:
    def make(**options: Any) -> World:
        return World(monkeypatch, tmp_path, **options)

    return make


@pytest.fixture(scope="session")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shop's files of three days, nothing landed. Copy it (`homes.copy`); all stories share it."""
    homes.warm()
    return homes.simulate(tmp_path_factory.mktemp("waiting") / "home")


@pytest.fixture(scope="session")
def done(waiting: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home of `waiting` after one undisturbed run. Copy it; all stories share it."""
    folder = tmp_path_factory.mktemp("done")
    homes.run_once(folder, waiting, "ecommerce")
    return Settings(home=folder / "home", as_of=homes.NOW)
