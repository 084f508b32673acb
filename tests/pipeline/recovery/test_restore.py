"""Tables and whole warehouses come back exactly, whatever happens on the way."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from ops_project.model.platform import Platform
from ops_project.pipeline.recovery import journal, out_of_date, restore, staging
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import announced, identity, snapshots, standing
from ops_project.pipeline.warehouse.connection import writer
from ops_project.process import kill_points
from ops_project.settings import Settings
from tests.empty_home import NOW

ORDERS, SUMMARY = "silver.orders", "gold.summary"
FIRST = """
    CREATE SCHEMA ops; CREATE SCHEMA silver; CREATE SCHEMA gold; CREATE SCHEMA bronze;
    CREATE TABLE ops.batches AS SELECT 1::BIGINT AS load_seq, 'b1' AS batch_id, 'orders' AS feed, 'loaded' AS status;
    CREATE TABLE ops.builds AS SELECT 'orders' AS model, 1::BIGINT AS load_seq, now()::TIMESTAMP AS built_at;
    CREATE TABLE bronze.orders AS SELECT 1 AS id;
    CREATE TABLE silver.orders (id INTEGER PRIMARY KEY, "the amount" DECIMAL(9, 2) DEFAULT 1 NOT NULL CHECK (id >= 0));
    INSERT INTO silver.orders SELECT range, range * 1.5 FROM range(1000);
    CREATE INDEX by_amount ON silver.orders ("the amount");
    CREATE VIEW gold.summary AS SELECT count(*) AS n FROM silver.orders;
"""
SECOND = """
    INSERT INTO ops.batches VALUES (2, 'b2', 'orders', 'loaded'); UPDATE ops.builds SET load_seq = 2;
    INSERT INTO bronze.orders VALUES (2); INSERT INTO silver.orders SELECT range, 7 FROM range(1000, 1100);
    CREATE TABLE gold.later AS SELECT 1 AS id;
"""


PLATFORM = Platform.model_validate(
    {
        "name": "test",
        "timezone": "America/New_York",
        "start_date": "2026-01-01",
        "snapshots": {"keep": 50},
        "publishing": {"keep": 2},
    }
)
"""Keeps every snapshot of a story."""


@pytest.fixture
def platform() -> Platform:
    return PLATFORM


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights, a snapshot after each."""
    made = Settings(home=tmp_path_factory.mktemp("restored") / "home", as_of=NOW)
    for number, sql in enumerate((FIRST, SECOND), start=1):
        change(made, PLATFORM, sql, f"night-{number}")
    return made.home


@pytest.fixture
def home(built: Path, settings: Settings) -> Settings:
    """A copy of the home `built`."""
    shutil.copytree(built, settings.home, symlinks=True)
    return settings


def change(settings: Settings, platform: Platform, sql: str, run: str | None = None) -> None:
    with writer(settings, platform, owner="test", now=NOW) as held:
        held.connection().execute(sql)
        if run is not None:
            snapshots.take(held, run_id=run, as_of=NOW, commit="c0ffee")


def context(settings: Settings, platform: Platform) -> restore.Context:
    return restore.Context(settings, platform, "ada", NOW, "c0ffee")


def perform(
    settings: Settings, platform: Platform, number: int, *tables: str, downstream: tuple[str, ...] = ()
) -> journal.Entry:
    restore.finish(context(settings, platform))
    source = restore.snapshot_source(settings, snapshots.existing(settings)[number].id)
    return restore.apply(context(settings, platform), restore.Wanted(source, tables, downstream))


def undo(settings: Settings, platform: Platform) -> journal.Entry:
    finished = restore.finish(context(settings, platform))
    if finished is not None and finished.source.startswith("undo of "):
        return finished
    source, entry = restore.undo_source(settings)
    return restore.apply(context(settings, platform), restore.Wanted(source, entry.tables))


def checksums(settings: Settings) -> dict[str, str]:
    """The checksums of every table, except those that record the restore itself."""
    with staging.opened(settings.warehouse, read_only=True) as connection:
        found = staging.held(connection)
    return {name: value.checksum for name, value in found.items() if name not in (staging.RESTORES, identity.TABLE)}


def ask(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with staging.opened(settings.warehouse, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_dropped_table_comes_back_with_keys_indexes_and_rows_and_the_undo_drops_it(
    home: Settings, platform: Platform
) -> None:
    before = checksums(home)
    change(home, platform, "DROP VIEW gold.summary; DROP TABLE silver.orders")
    dropped = checksums(home)
    wanted = restore.Wanted(restore.snapshot_source(home, snapshots.newest(home).id), (ORDERS, SUMMARY))
    plan = restore.plan(home, wanted)
    assert [(item.table, item.words) for item in plan.changes] == [
        (SUMMARY, "brought back"),
        (ORDERS, "brought back"),
    ]
    assert checksums(home) == dropped, "a plan changes nothing"

    entry = perform(home, platform, -1, ORDERS, SUMMARY, downstream=("gold.later",))
    assert checksums(home) == before
    assert ask(home, "SELECT n FROM gold.summary") == [(1100,)]
    assert ask(home, "SELECT index_name FROM duckdb_indexes()") == [("by_amount",)]
    kinds = {
        row[0] for row in ask(home, "SELECT constraint_type FROM duckdb_constraints() WHERE table_name = 'orders'")
    }
    assert {"PRIMARY KEY", "CHECK", "NOT NULL"} <= kinds
    assert ask(home, "SELECT restore_id, restored_by FROM ops.restores") == [(entry.id, "ada")]
    assert out_of_date.marked(home)["gold.later"]["because"].startswith(f"{ORDERS}, {SUMMARY} was restored from")
    assert snapshots.newest(home).tables[ORDERS].rows == 1100

    undo(home, platform)
    assert checksums(home) == dropped
    undo(home, platform)
    assert checksums(home) == before


def test_an_older_table_goes_back_together_with_how_far_its_model_has_read(home: Settings, platform: Platform) -> None:
    after = checksums(home)
    perform(home, platform, 0, ORDERS)
    now = checksums(home)
    assert {name for name in after if after[name] != now.get(name)} == {ORDERS, "ops.builds"}
    assert ask(home, "SELECT load_seq FROM ops.builds") == [(1,)]


def test_a_plan_names_the_files_whose_rows_are_lost(home: Settings) -> None:
    source = restore.snapshot_source(home, snapshots.existing(home)[0].id)
    assert restore.plan(home, restore.Wanted(source, ("bronze.orders",))).lost_batches == ("b2",)
    assert restore.plan(home, restore.Wanted(source, (ORDERS,))).lost_batches == ()
    plan = restore.plan(home, restore.Wanted(source, ()))
    assert plan.lost_batches == ("b2",)
    assert {item.table: item.words for item in plan.changes}["gold.later"] == "removed"


def lose(settings: Settings) -> None:
    settings.warehouse.unlink()


def cut(settings: Settings) -> None:
    with settings.warehouse.open("r+b") as file:
        file.truncate(settings.warehouse.stat().st_size // 2)


def another(settings: Settings) -> None:
    settings.warehouse.unlink()
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("CREATE SCHEMA ops; CREATE TABLE ops.batches AS SELECT 99 AS load_seq")
        identity.advance(connection, 50)


def leave_a_log(settings: Settings) -> None:
    """Leave the write-ahead log of a database whose file is gone. It must not be applied to the restored file."""
    settings.warehouse.unlink()
    settings.warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"stale")


@pytest.mark.parametrize("fault", [lose, cut, another, leave_a_log])
def test_the_whole_comes_back_where_the_file_is_lost_damaged_or_another(
    home: Settings, platform: Platform, fault: Callable[[Settings], None]
) -> None:
    before = checksums(home)
    fault(home)
    with pytest.raises((RestoreError, standing.WarehouseUnusable)):
        perform(home, platform, -1, ORDERS)
    perform(home, platform, -1)
    assert checksums(home) == before
    change(home, platform, "CREATE TABLE gold.written AS SELECT 1")  # a run can build on it as well
    if fault is not another:
        with pytest.raises(RestoreError, match="cannot be undone"):
            restore.undo_source(home)


def test_going_back_to_an_older_whole_is_what_the_next_run_builds_on(home: Settings, platform: Platform) -> None:
    newest = checksums(home)
    perform(home, platform, 0)
    assert "gold.later" not in checksums(home)
    change(home, platform, "SELECT 1", "night-3")
    undo(home, platform)
    assert checksums(home) == newest


def test_a_snapshot_that_is_not_what_it_says_changes_nothing(home: Settings, platform: Platform) -> None:
    before = home.warehouse.read_bytes()
    with duckdb.connect(str(snapshots.newest(home).database)) as connection:
        connection.execute('UPDATE silver.orders SET "the amount" = 9 WHERE id = 5')
    for tables in ((ORDERS,), ()):
        with pytest.raises(RestoreError, match=r"silver\.orders of snapshot 000002.*Nothing was changed"):
            perform(home, platform, -1, *tables)
    assert home.warehouse.read_bytes() == before
    assert not list((home.warehouse.parent / "restores").iterdir())


PLACES = ("copied", "staged", "kept", "swapped", "snapshot", "done")


KILLED = ((ORDERS,), ())
"""The tables of two restores, one after the other; none means the whole warehouse."""


def spoil(settings: Settings) -> None:
    change(settings, PLATFORM, "DELETE FROM silver.orders WHERE id < 10")


def again(settings: Settings, source: str, tables: tuple[str, ...]) -> None:
    restore.finish(context(settings, PLATFORM))
    restore.apply(context(settings, PLATFORM), restore.Wanted(restore.snapshot_source(settings, source), tables))


@pytest.fixture(scope="module")
def undisturbed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, str], dict[str, str]]]:
    """For each restore of KILLED: the checksums before it, and those after it if nothing is killed."""
    calm = Settings(home=tmp_path_factory.mktemp("undisturbed") / "home", as_of=NOW)
    shutil.copytree(built, calm.home, symlinks=True)
    source, found = snapshots.newest(calm).id, []
    for tables in KILLED:
        spoil(calm)
        spoiled = checksums(calm)
        again(calm, source, tables)
        found.append((spoiled, checksums(calm)))
    return found


@pytest.mark.parametrize("place", [*(f"restore:{name}" for name in PLACES), "snapshot:copied", "snapshot:renamed"])
def test_killed_anywhere_and_repeated_it_gives_the_same(
    home: Settings, undisturbed: list[tuple[dict[str, str], dict[str, str]]], place: str
) -> None:
    source = snapshots.newest(home).id
    for tables, (spoiled, restored) in zip(KILLED, undisturbed, strict=True):
        spoil(home)
        killed(partial(again, home, source, tables), place)
        again(home, source, tables)
        assert checksums(home) == restored != spoiled
        if place not in ("restore:swapped", "restore:snapshot", "restore:done") and not place.startswith("snapshot"):
            killed(lambda: undo(home, PLATFORM), place)
            undo(home, PLATFORM)
            assert checksums(home) == spoiled
            again(home, source, tables)
        assert len(list((home.warehouse.parent / "restores").iterdir())) == 1


@pytest.mark.parametrize("place", ["restore:kept", "restore:swapped", "restore:snapshot"])
def test_a_killed_undo_is_finished_and_not_turned_round(home: Settings, platform: Platform, place: str) -> None:
    change(home, platform, "DELETE FROM silver.orders")
    spoiled = checksums(home)
    perform(home, platform, -1, ORDERS)
    killed(lambda: undo(home, platform), place)
    undo(home, platform)
    assert checksums(home) == spoiled


def killed(work: Callable[[], object], place: str) -> None:
    """Run `work` in a child process that dies at this place."""
    pid = os.fork()
    if not pid:
        kill_points._KILL_AT = place
        try:
            work()
        finally:
            os._exit(7)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"{place} was not reached"


def test_a_restored_state_is_as_good_as_its_snapshot(home: Settings, platform: Platform) -> None:
    with writer(home, platform, owner="test", now=NOW) as held:
        held.connection().execute("INSERT INTO silver.orders VALUES (5000, 1)")
        snapshots.take(held, run_id="night-3", as_of=NOW, commit="c0ffee", domain="shop", good=False)
    perform(home, platform, 2, ORDERS)
    assert not snapshots.newest(home).good, "no check has looked at the restored table"
    perform(home, platform, 1)
    assert snapshots.newest(home).good
    perform(home, platform, 2)
    assert not snapshots.newest(home).good


def test_a_table_of_a_bad_snapshot_and_an_undo_make_nothing_good(home: Settings, platform: Platform) -> None:
    with writer(home, platform, owner="test", now=NOW) as held:
        held.connection().execute("INSERT INTO silver.orders VALUES (5000, 1)")
        snapshots.take(held, run_id="night-3", as_of=NOW, commit="c0ffee", domain="shop", good=False)
    bad = len(snapshots.existing(home)) - 1
    perform(home, platform, 1)
    assert snapshots.newest(home).good
    undo(home, platform)
    assert not snapshots.newest(home).good, "the undo has put the bad content back"
    perform(home, platform, 1)
    assert snapshots.newest(home).good
    perform(home, platform, bad, ORDERS)
    assert not snapshots.newest(home).good, "the table is that of the bad snapshot"


def test_what_a_killed_run_left_is_replaced_only_by_a_whole_restore(home: Settings, platform: Platform) -> None:
    announced.run(home, "killed", "shop")
    perform(home, platform, 1, ORDERS)
    assert snapshots.newest(home).manifest["failed"] == ["shop"]
    perform(home, platform, 1)
    assert snapshots.newest(home).good


def test_a_run_that_was_killed_after_its_snapshot_leaves_nothing_failed(home: Settings, platform: Platform) -> None:
    announced.run(home, str(snapshots.newest(home).manifest["run_id"]), "shop")
    perform(home, platform, 1, ORDERS)
    assert snapshots.newest(home).good
