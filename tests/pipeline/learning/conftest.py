"""An empty MLflow database is made once: its forty migrations take seconds, a copy takes none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.learning.registry import Registry
from ops_project.settings import Settings
from tests.built_once import built_once
from tests.pipeline.learning.shop import shop


@pytest.fixture(scope="session", autouse=True)
def quiet() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({name: value for name, value in Settings.load(environ={}).environ().items() if "OPS" not in name})
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def prepare(root: Path) -> None:
        Registry(root, f"sqlite:///{root / 'mlflow.db'}").prepare()

    return built_once(tmp_path_factory, "registry", prepare) / "mlflow.db"


@pytest.fixture
def registry(empty_registry: Path, tmp_path: Path) -> Registry:
    root = tmp_path / "models"
    root.mkdir()
    shutil.copy(empty_registry, root / "mlflow.db")
    return Registry(root, f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.duckdb"
    shop(path).close()
    return path


@pytest.fixture
def connection(shop_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    shutil.copy(shop_file, tmp_path / "shop.duckdb")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as opened:
        yield opened
