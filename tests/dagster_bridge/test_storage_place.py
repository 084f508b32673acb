"""The place of Dagster's storage is read from dagster.yaml, in each form that Dagster knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.storage_place import StoragePlace, storage_place
from ops_project.settings import Settings

URL = "postgresql://ada:x%40y@db:5433/dagster"
DB = "{username: ada, password: {env: WORD}, hostname: db, port: 5433, db_name: dagster}"
OURS = "{module: ops_project.dagster_bridge.postgres_storage, class: Storage, config: {postgres_url: {env: U}}}"
STOCK = "{module: dagster_postgres.event_log, class: PostgresEventLogStorage, config: {postgres_url: {env: U}}}"
MYSQL = "storage: {mysql: {mysql_url: x}}"


@pytest.mark.parametrize(
    "said",
    [
        f"storage: {{postgres: {{postgres_db: {DB}}}}}",
        "storage: {postgres: {postgres_url: {env: U}}}",
        f"storage: {{custom: {OURS}}}",
        f"event_log_storage: {STOCK}\nrun_storage: {STOCK}",
    ],
)
def test_a_postgresql_is_found(tmp_path: Path, said: str) -> None:
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed here")
    (tmp_path / "dagster.yaml").write_text(said, encoding="utf-8")
    assert storage_place(tmp_path, {"U": URL, "WORD": "x@y"}.get) == StoragePlace((URL,))
    [words] = storage_place(tmp_path, {}.get).elsewhere[:1]
    assert "is not set" in words and "dagster.yaml" in words


def test_what_lies_in_the_home_is_no_place_of_its_own(tmp_path: Path) -> None:
    assert storage_place(tmp_path, {}.get) == StoragePlace(), "no dagster.yaml"
    settings = Settings(home=tmp_path / "home")
    dagster_home.ensure(settings)
    assert storage_place(settings.dagster_home, {}.get) == StoragePlace()
    (tmp_path / "dagster.yaml").write_text("storage: {sqlite: {base_dir: {env: DAGSTER_HOME}}}", encoding="utf-8")
    assert storage_place(tmp_path, {}.get) == StoragePlace()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (MYSQL, "mysql is not a storage"),
        ("storage: {sqlite: {base_dir: /elsewhere}}", "it lies in /elsewhere"),
        ("storage: [", "cannot be read"),
        ("run_storage: {module: a.b, class: C}", "a.b.C is not a storage"),
    ],
)
def test_what_is_neither_is_named(tmp_path: Path, said: str, words: str) -> None:
    (tmp_path / "dagster.yaml").write_text(said, encoding="utf-8")
    found = storage_place(tmp_path, {}.get)
    assert found.postgres == () and words in found.elsewhere[0]
