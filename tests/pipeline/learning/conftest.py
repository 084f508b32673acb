"""An empty MLflow database is made once: its forty migrations take seconds, a copy takes none."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.learning.registry import Registry
from ops_project.pipeline.learning.training import train
from ops_project.settings import Settings
from tests.built_once import built_once
from tests.pipeline.learning.shop import shop, training


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


@pytest.fixture(scope="session")
def churn_trained(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path, shop_file: Path) -> Path:
    """The shop and its registry after one training of churn, which was promoted: `shop.duckdb` and `models`."""

    def build(folder: Path) -> None:
        root = folder / "models"
        root.mkdir()
        shutil.copy(empty_registry, root / "mlflow.db")
        with closing(sqlite3.connect(root / "mlflow.db")) as database, database:
            # As in a registry that was made here.
            database.execute("update experiments set artifact_location = ?", [(root / "artifacts").as_uri()])
        shutil.copy(shop_file, folder / "shop.duckdb")
        with duckdb.connect(str(folder / "shop.duckdb")) as connection:
            assert train(training(connection, Registry(root, f"sqlite:///{root / 'mlflow.db'}")), "churn").promoted

    return built_once(tmp_path_factory, "churn-trained", build)


# MLflow stores absolute addresses.
ADDRESSES = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "model_versions": "source",
}


def trained_in(root: Path, churn_trained: Path) -> Registry:
    """A copy of the registry after the training, in the folder `root`."""
    shutil.copytree(churn_trained / "models", root)
    old, new = (churn_trained / "models").as_uri(), root.as_uri()
    with closing(sqlite3.connect(root / "mlflow.db")) as database, database:
        for table, column in ADDRESSES.items():
            database.execute(f"update {table} set {column} = replace({column}, ?, ?)", [old, new])
    return Registry(root, f"sqlite:///{root / 'mlflow.db'}")


@pytest.fixture
def trained_registry(churn_trained: Path, tmp_path: Path) -> Registry:
    """The registry in which a model of churn serves."""
    return trained_in(tmp_path / "models", churn_trained)


@pytest.fixture
def trained_shop(churn_trained: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The shop of `trained_registry`."""
    shutil.copy(churn_trained / "shop.duckdb", tmp_path / "shop.duckdb")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as opened:
        yield opened
