"""Dagster's storage in a home is opened without its migration scripts, whoever made its files."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Never

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from ops_project.dagster_bridge.storage import Storage

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


@dg.asset
def one() -> int:
    return 1


def opened(kind: type[DagsterSqliteStorage], folder: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(
            str(folder),
            overrides={
                "storage": {
                    "custom": {"module": kind.__module__, "class": kind.__name__, "config": {"base_dir": str(folder)}}
                },
                "telemetry": {"enabled": False},
            },
        )
    )


def known(instance: dg.DagsterInstance) -> tuple[int, bool, int]:
    """Runs, whether the asset has been built, and schedules."""
    return (
        len(instance.get_runs()),
        instance.get_latest_materialization_event(dg.AssetKey("one")) is not None,
        len(instance.all_instigator_state()),
    )


@pytest.mark.parametrize("made_by", [Storage, DagsterSqliteStorage])
def test_what_is_made_is_opened_without_the_migration_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: type[DagsterSqliteStorage]
) -> None:
    with opened(made_by, tmp_path) as instance:
        dg.materialize([one], instance=instance)
        assert known(instance) == (1, True, 0)

    def loaded(*_arguments: object) -> Never:
        raise AssertionError("the migration scripts are loaded")

    monkeypatch.setattr(ScriptDirectory, "from_config", loaded)
    with opened(Storage, tmp_path) as instance:
        assert known(instance) == (1, True, 0)


@pytest.mark.parametrize("lost", FILES)
def test_a_part_that_is_lost_is_made_again(tmp_path: Path, lost: str) -> None:
    with opened(Storage, tmp_path) as instance:
        dg.materialize([one], instance=instance)
    (tmp_path / lost).unlink()
    with opened(Storage, tmp_path) as instance:
        runs, built, schedules = known(instance)
        assert (runs, built, schedules) == (0 if lost == FILES[0] else 1, lost != FILES[1], 0)
        assert dg.materialize([one], instance=instance).success


def test_a_table_that_came_later_is_added(tmp_path: Path) -> None:
    opened(Storage, tmp_path).dispose()
    with sqlite3.connect(tmp_path / FILES[0]) as connection:
        connection.execute("DROP TABLE instance_info")
    opened(Storage, tmp_path).dispose()
    with sqlite3.connect(tmp_path / FILES[0]) as connection:
        assert connection.execute("SELECT count(*) FROM instance_info").fetchone() == (0,)
