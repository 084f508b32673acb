"""The shipped metadata as text, to be broken one row at a time."""

from __future__ import annotations

import pytest

from ops_project import catalog
from ops_project.model.feed.feed import Feed
from ops_project.model.metadata import Metadata
from ops_project.pipeline.vault_generator import tables
from ops_project.settings import CONFIG_DIR, Settings

FILES = {name: f"{name}.csv" for name in tables.TABLES}


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Feed]:
    known = catalog.load(Settings.load(home=tmp_path_factory.mktemp("home")))
    return {feed.name: feed for feed in known.feeds_of("marketing")}


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    folder = CONFIG_DIR / "metadata" / "marketing"
    return {name: (folder / file).read_text(encoding="utf-8") for name, file in FILES.items()}


@pytest.fixture(scope="session")
def meta(texts: dict[str, str]) -> Metadata:
    return tables.read("marketing", texts, FILES)
