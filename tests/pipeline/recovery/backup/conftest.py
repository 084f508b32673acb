"""A small home with a warehouse, a snapshot, an SQLite store, archived and waiting files; a folder and a bucket."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ops_project.model.platform import Platform
from ops_project.pipeline.recovery.backup.create import Taker
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.stores import Store, open_store
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings
from tests.cloud_server import cloud_server
from tests.empty_home import NOW

PLATFORM = Platform.model_validate({"name": "test", "timezone": "America/New_York", "start_date": "2026-01-01"})


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("backed-up") / "home"
    settings = Settings(home=home, as_of=NOW)
    night(settings, "CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id, 'x' AS kind FROM range(5000)")
    for name in ("archive/shop/orders/a.csv", "inbound/shop/b.csv", "published/shop/000001/sales.parquet"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"the bytes of {name}", encoding="utf-8")
    (home / "published/shop/current").symlink_to("000001")
    (home / "inbound" / "bakery").mkdir()
    (home / "ledger").mkdir()
    with closing(sqlite3.connect(home / "ledger" / "ledger.db")) as ledger:
        ledger.executescript("PRAGMA journal_mode = WAL; CREATE TABLE alerts (id INTEGER, words TEXT)")
        ledger.executemany("INSERT INTO alerts VALUES (?, ?)", [(number, f"alert {number}") for number in range(100)])
        ledger.commit()
    return home


@pytest.fixture
def settings(built: Path, tmp_path: Path) -> Settings:
    shutil.copytree(built, tmp_path / "home", symlinks=True)
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.fixture
def taker(settings: Settings) -> Taker:
    return Taker(settings, PLATFORM, "ada", NOW, "c0ffee")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto's server, in this process, answers as S3 does."""
    with cloud_server() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "backups"))
    return bucket(request.getfixturevalue("endpoint"))


def bucket(endpoint: str) -> Store:
    import boto3

    name = f"backups-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    return open_store(f"s3://{name}/ops", endpoint)


@pytest.fixture
def shelf(store: Store) -> Shelf:
    return Shelf(store)


def night(settings: Settings, sql: str) -> None:
    """A run that changes the warehouse and ends with a snapshot."""
    with writer(settings, PLATFORM, owner="test", now=NOW) as held:
        held.connection().execute(sql)
        snapshots.take(held, run_id="night", as_of=NOW, commit="c0ffee")
