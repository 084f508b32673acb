"""A warehouse that was lost, replaced or damaged is not written to; good snapshots outlive bad ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ops_project.model.platform import Platform
from ops_project.pipeline.warehouse import identity, snapshots, standing
from ops_project.pipeline.warehouse.connection import writer
from ops_project.process import locks
from ops_project.settings import Settings
from tests.empty_home import NOW


def night(settings: Settings, platform: Platform, sequence: int, **more: bool) -> snapshots.Snapshot:
    """One run: a file is landed, and a snapshot is made."""
    with writer(settings, platform, owner="test", now=NOW) as held:
        connection = held.connection()
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops; CREATE TABLE IF NOT EXISTS ops.batches (load_seq BIGINT)")
        connection.execute("INSERT INTO ops.batches VALUES (?)", [sequence])
        return snapshots.take(held, run_id=f"run-{sequence}", as_of=NOW, commit="c0ffee", **more)


def refused(settings: Settings, platform: Platform) -> standing.WarehouseUnusable:
    before = settings.warehouse.read_bytes() if settings.warehouse.exists() else None
    with (
        pytest.raises(standing.WarehouseUnusable) as found,
        writer(settings, platform, owner="test", now=NOW) as held,
    ):
        held.connection().execute("CREATE TABLE written AS SELECT 1")
    assert (settings.warehouse.read_bytes() if settings.warehouse.exists() else None) == before
    return found.value


@pytest.fixture
def home(settings: Settings, platform: Platform) -> Settings:
    """Two nights; `first.duckdb` is a copy of the warehouse after the first night."""
    night(settings, platform, 1)
    shutil.copy2(settings.warehouse, settings.home / "first.duckdb")
    night(settings, platform, 2)
    return settings


def lose(settings: Settings) -> None:
    settings.warehouse.unlink()


def make_older(settings: Settings) -> None:
    shutil.copy2(settings.home / "first.duckdb", settings.warehouse)


def make_another(settings: Settings) -> None:
    settings.warehouse.unlink()
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA ops; CREATE TABLE ops.batches AS SELECT 99 AS load_seq")
        identity.advance(connection, 50)


def make_empty(settings: Settings) -> None:
    settings.warehouse.unlink()
    duckdb.connect(str(settings.warehouse)).close()


def cut(settings: Settings) -> None:
    with settings.warehouse.open("r+b") as file:
        file.truncate(settings.warehouse.stat().st_size // 2)


def overwrite(settings: Settings) -> None:
    settings.warehouse.write_bytes(b"not a database" * 1000)


FAULTS: list[tuple[Callable[[Settings], None], str]] = [
    (lose, "absent"),
    (make_older, "behind"),
    (make_another, "another"),
    (make_empty, "behind"),
    (cut, "damaged"),
    (overwrite, "damaged"),
]


@pytest.mark.parametrize(("fault", "state"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_nothing_is_written_and_the_ways_back_are_named(
    home: Settings, platform: Platform, fault: Callable[[Settings], None], state: str
) -> None:
    fault(home)
    error = refused(home, platform)
    words = str(error)
    assert error.state.value == state
    assert str(home.warehouse) in words
    assert "Nothing was written" in words
    newest = snapshots.newest(home)
    assert f"restore --all --to {newest.id}` shows the plan" in words
    looked = standing.looked(home)
    assert looked == {"state": state, "message": words, "at": None}, "`ops status` tells it without a run"
    found = standing.noted(home)
    assert found is not None
    assert (found["state"], found["message"], found["at"]) == (state, words, NOW.isoformat())

    # A copy by hand is as good as the restore that the message names.
    shutil.copy2(newest.database, home.warehouse)
    assert standing.looked(home) is None
    assert night(home, platform, 3).manifest["load_seq"] == 3
    assert standing.noted(home) is None


def test_a_warehouse_that_another_program_has_open_is_told(home: Settings) -> None:
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(home.warehouse)!r}); print('open', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        found = standing.looked(home)
        other.communicate("")
    assert found is not None and found["state"] == "locked"
    assert "is open in another program" in found["message"] and f"PID {other.pid}" in found["message"]
    assert standing.looked(home) is None


def test_a_look_does_not_disturb_a_run(home: Settings) -> None:
    with locks.hold(home.lock, owner="test", now=NOW), duckdb.connect(str(home.warehouse)):
        assert standing.looked(home) is None


def test_a_warehouse_of_the_same_load_that_was_built_on_since_is_older(home: Settings, platform: Platform) -> None:
    shutil.copy2(home.warehouse, home.home / "second.duckdb")
    with writer(home, platform, owner="test", now=NOW) as held:
        held.connection().execute("CREATE TABLE rebuilt AS SELECT 1")
        snapshots.take(held, run_id="rebuild", as_of=NOW, commit="")
    shutil.copy2(home.home / "second.duckdb", home.warehouse)
    assert refused(home, platform).state is standing.State.BEHIND


def test_a_warehouse_without_its_snapshots_is_missed_by_the_archive(home: Settings, platform: Platform) -> None:
    shutil.rmtree(home.snapshots)
    home.warehouse.unlink()
    kept = home.archive / "shop" / "orders" / "2026-03-01" / "abc_orders.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("id\n1\n")
    error = refused(home, platform)
    assert error.state is standing.State.ABSENT
    assert str(home.archive) in str(error)


def test_a_new_home_and_one_that_lost_only_its_snapshots_go_on(home: Settings, platform: Platform) -> None:
    shutil.rmtree(home.snapshots)
    assert night(home, platform, 3).manifest["load_seq"] == 3


def test_a_run_that_died_before_its_snapshot_is_no_fault(home: Settings, platform: Platform) -> None:
    with writer(home, platform, owner="test", now=NOW) as held:
        held.connection().execute("INSERT INTO ops.batches VALUES (3)")
        identity.advance(held.connection(), 2)
    assert night(home, platform, 4).manifest["load_seq"] == 4


def test_an_older_state_is_accepted_when_the_newer_snapshots_are_moved_away(home: Settings, platform: Platform) -> None:
    make_older(home)
    assert "move the newer snapshots out of" in str(refused(home, platform))
    snapshots.newest(home).folder.rename(home.home / "moved")
    assert night(home, platform, 3).manifest["load_seq"] == 3


def test_a_home_from_before_there_were_identities_goes_on(home: Settings, platform: Platform) -> None:
    for snapshot in snapshots.existing(home):
        manifest = {k: v for k, v in snapshot.manifest.items() if k not in ("warehouse_id", "generation", "good")}
        (snapshot.folder / "manifest.json").write_text(json.dumps(manifest))
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("DROP TABLE ops.identity")
    assert night(home, platform, 3).manifest["generation"] == 1
    make_older(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("DROP TABLE ops.identity")
    assert refused(home, platform).state is standing.State.BEHIND


def test_another_program_that_has_it_open_is_not_a_lost_warehouse(home: Settings, platform: Platform) -> None:
    def connect() -> duckdb.DuckDBPyConnection:
        raise duckdb.IOException("IO Error: Could not set lock on file: Conflicting lock is held in python (PID 7)")

    with pytest.raises(standing.WarehouseUnusable) as found:
        standing.require(home, connect, NOW)
    assert found.value.state is standing.State.LOCKED
    assert "PID 7" in str(found.value)
    assert standing.noted(home) is None


def test_good_snapshots_are_never_pushed_out_by_bad_ones(settings: Settings, platform: Platform) -> None:
    good = [night(settings, platform, number).id for number in (1, 2, 3)][-2:]
    bad = [night(settings, platform, number, good=False).id for number in range(4, 10)]
    assert platform.snapshots.keep == 2
    assert [item.id for item in snapshots.existing(settings)] == [*good, *bad[-2:]]
    later = [night(settings, platform, number).id for number in (10, 11)]
    assert [item.id for item in snapshots.existing(settings)] == later


def test_a_look_that_finds_the_file_gone_needs_no_run(home: Settings, tmp_path: Path) -> None:
    assert standing.seen(home) is None
    home.warehouse.unlink()
    found = standing.seen(home)
    assert found is not None
    assert (found["state"], found["at"]) == ("absent", None)
    assert standing.seen(Settings(home=tmp_path / "nothing")) is None
