"""The vault's models, compiled once for all tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ops_project import catalog
from ops_project.model.feed.feed import Feed
from ops_project.settings import Settings
from tests.marketing.vault import Model, Warehouse, compile_models


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> list[Feed]:
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home"))).feeds_of("marketing")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, feeds: list[Feed]) -> list[Model]:
    return compile_models(tmp_path_factory.mktemp("compiled") / "home", feeds)


@pytest.fixture(scope="session")
def warehouse(models: list[Model], feeds: list[Feed]) -> Callable[[], Warehouse]:
    return lambda: Warehouse(models, feeds)
