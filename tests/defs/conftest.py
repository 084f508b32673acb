"""The definitions as they are shipped, loaded once; and a Dagster project that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph

from ops_project.defs.compose import compose
from ops_project.defs.shared.site import Site
from ops_project.settings import Settings
from tests.defs import bookshop
from tests.defs.watched_shop import Bookshop


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.load(Settings(home=Path(tmp_path_factory.mktemp("definitions"))))


@pytest.fixture(scope="session")
def definitions(site: Site) -> dg.Definitions:
    return compose(site)


@pytest.fixture(scope="session")
def graph(definitions: dg.Definitions) -> BaseAssetGraph[Any]:
    return definitions.get_repository_def().asset_graph


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bookshop]:
    monkeypatch.setattr(bookshop, "BROKEN", set())
    made = Bookshop(tmp_path)
    yield made
    if "instance" in made.__dict__:
        made.instance.dispose()
