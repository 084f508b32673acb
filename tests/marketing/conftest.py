"""The vault's models, compiled once for all tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.model.feed.feed import Feed
from ops_project.settings import Settings
from tests.built_once import built_once
from tests.marketing.vault import Model, Warehouse, compile_models

COMPILED = "models.json"


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> list[Feed]:
    return catalog.load(Settings.load(home=tmp_path_factory.mktemp("home"))).feeds_of("marketing")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, feeds: list[Feed]) -> list[Model]:
    def build(folder: Path) -> None:
        compiled = compile_models(folder / "home", feeds)
        (folder / COMPILED).write_text(json.dumps([asdict(model) for model in compiled]), encoding="utf-8")

    folder = built_once(tmp_path_factory, "vault-models", build)
    return [Model(**fields) for fields in json.loads((folder / COMPILED).read_text(encoding="utf-8"))]


@pytest.fixture(scope="session")
def warehouse(models: list[Model], feeds: list[Feed]) -> Callable[[], Warehouse]:
    return lambda: Warehouse(models, feeds)
