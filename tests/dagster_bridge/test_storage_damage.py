"""A damaged file of Dagster's storage is named before anything is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ops_project.dagster_bridge.storage_damage import FILES, damaged, lost_storage
from ops_project.settings import Settings
from tests.empty_home import NOW

PAGE = 4096


def storage(folder: Path) -> None:
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("CREATE TABLE rows AS SELECT randomblob(50000) AS data")
        connection.close()


def test_a_whole_storage_or_none_or_an_empty_file_is_fine(tmp_path: Path) -> None:
    assert damaged(tmp_path) == ""
    storage(tmp_path)
    assert damaged(tmp_path) == ""
    (tmp_path / FILES[1]).write_bytes(b"")
    assert damaged(tmp_path) == ""


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_database_or_is_cut_off_is_named(name: str, tmp_path: Path) -> None:
    storage(tmp_path)
    file = tmp_path / name
    whole = file.read_bytes()
    file.write_bytes(whole[:9_000])
    assert damaged(tmp_path) == f"{file} has been cut off: 9,000 bytes of {len(whole):,}"
    for other in (b"this is not a database" * 100, b"short", whole[:50]):
        file.write_bytes(other)
        assert damaged(tmp_path) == f"{file} is not a database"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("page", [0, 1, 2])
def test_a_file_with_an_overwritten_page_is_named(name: str, page: int, tmp_path: Path) -> None:
    """The header of the first page stays as it was."""
    storage(tmp_path)
    assert damaged(tmp_path) == ""
    file = tmp_path / name
    data = bytearray(file.read_bytes())
    begin = page * PAGE + (100 if page == 0 else 0)
    data[begin : (page + 1) * PAGE] = b"\xa5" * ((page + 1) * PAGE - begin)
    file.write_bytes(data)
    assert damaged(tmp_path).startswith(f"{file} is damaged: ")


def test_a_place_that_is_no_file_or_leads_nowhere_is_named(tmp_path: Path) -> None:
    storage(tmp_path)
    file = tmp_path / FILES[0]
    file.unlink()
    file.mkdir()
    assert damaged(tmp_path).startswith(f"{file}: ")
    file.rmdir()
    file.symlink_to(file.name)
    assert damaged(tmp_path).startswith(f"{file}: ")


def test_a_database_that_is_in_use_is_fine(tmp_path: Path) -> None:
    storage(tmp_path)
    with sqlite3.connect(tmp_path / FILES[0]) as connection:
        connection.execute("INSERT INTO rows SELECT randomblob(500000)")
        connection.commit()
        assert damaged(tmp_path) == ""
        connection.execute("BEGIN EXCLUSIVE")
        assert damaged(tmp_path) == ""


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_from_a_used_storage_is_told(name: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, as_of=NOW)
    storage(settings.dagster_home)
    file = settings.dagster_home / name
    file.unlink()
    assert lost_storage(settings) == "", "nothing has been built: a storage that is being made"
    (settings.snapshots / "1").mkdir(parents=True)
    (settings.snapshots / "1" / "manifest.json").write_text("{}")
    assert f"{file} is not there" in lost_storage(settings)
    for other in FILES:
        (settings.dagster_home / other).unlink(missing_ok=True)
    assert lost_storage(settings) == "", "somebody moved all of them away, as the advice says"


@pytest.mark.parametrize(
    ("configured", "is_told"),
    [
        ("", True),
        ("storage: {sqlite: {base_dir: {env: DAGSTER_HOME}}}", True),
        ("run_storage: {module: dagster_postgres, class: PostgresRunStorage, config: {postgres_url: x}}", False),
        ("storage: {postgres: {postgres_url: {env: NOT_SET}}}", False),
        ("event_log_storage: {module: somebody.storage, class: Log}", False),
    ],
)
def test_a_file_whose_storage_is_elsewhere_is_not_missed(tmp_path: Path, configured: str, is_told: bool) -> None:
    """Dagster can configure its three storages one by one."""
    settings = Settings(home=tmp_path, as_of=NOW)
    storage(settings.dagster_home)
    (settings.dagster_home / "dagster.yaml").write_text(configured)
    (settings.dagster_home / FILES[0]).unlink()
    (settings.snapshots / "1").mkdir(parents=True)
    (settings.snapshots / "1" / "manifest.json").write_text("{}")
    assert bool(lost_storage(settings)) is is_told
