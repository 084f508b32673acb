"""A backup restores the home from which it was taken, counts as proved only after a proof, and survives being
killed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from ops_project.pipeline.recovery import staging
from ops_project.pipeline.recovery.backup import contents, create, drill, proof, rebuild
from ops_project.pipeline.recovery.backup.create import Taker
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Outcome
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.recovery.stores import Absent, open_store
from ops_project.pipeline.warehouse import announced, snapshots, standing
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.pipeline.recovery.backup.conftest import PLATFORM, night
from tests.pipeline.recovery.backup.taken import BESIDE, Unreachable, object_of, rebuilt, taken


class Killed(BaseException):
    """Replaces SIGKILL. No code of the program catches it."""


def home_of(settings: Settings) -> dict[str, object]:
    """The visible content of a home: the files, the targets of links, the tables of every database."""
    found: dict[str, object] = {}
    for path in sorted(settings.home.rglob("*")):
        name = path.relative_to(settings.home).as_posix()
        # A backup contains only the newest snapshot. The warehouse is a copy of this snapshot, so only the warehouse is
        # compared.
        if name.startswith((".", "state/", "snapshots/", "writer.lock", "backup.lock")) or name.endswith(BESIDE):
            continue
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.suffix == ".db":
            with closing(sqlite3.connect(path)) as connection:
                found[name] = connection.execute("SELECT * FROM alerts").fetchall()
        elif path.is_file() and path != settings.warehouse:
            found[name] = path.read_bytes()
        elif path.is_dir():
            found[name] = "a folder"
    with staging.opened(settings.warehouse, read_only=True) as connection:
        found["warehouse"] = staging.held(connection)
    return found


def test_a_home_comes_back_as_it_was(taker: Taker, shelf: Shelf, tmp_path: Path) -> None:
    manifest, found = taken(taker, shelf)
    assert found is not None and found.outcome is Outcome.PROVED, found
    again = rebuilt(shelf, manifest, tmp_path / "again")
    assert home_of(again) == home_of(taker.settings)
    assert not snapshots.is_behind(again), "the next run goes on from it"
    warehouse = Warehouse(again, PLATFORM)
    standing.require(again, warehouse.connection, NOW)
    warehouse.close()


def test_what_has_not_changed_is_not_sent_again(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    first, _ = taken(taker, shelf)
    second, _ = taken(taker, shelf)
    assert 0 < second.new_bytes < 0.01 * first.new_bytes  # the home remembers this of the first backup
    (taker.settings.archive / "shop/orders/c.csv").write_text("one more", encoding="utf-8")
    third, _ = taken(taker, shelf)
    assert third.new_bytes - len("one more") < 0.01 * first.new_bytes
    assert [item.id for item in shelf.backups()] == [first.id, second.id, third.id]


def test_a_large_file_is_sent_in_parts(taker: Taker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    monkeypatch.setattr(create, "PIECE_BYTES", 1 << 18)
    first, _ = taken(taker, shelf)
    night(taker.settings, "CREATE TABLE gold.more AS SELECT 1 AS id")
    second, found = taken(taker, shelf)
    [old] = [file for file in first.files if file.path.endswith("warehouse.duckdb")]
    [new] = [file for file in second.files if file.path.endswith("warehouse.duckdb")]
    assert len(new.pieces) > 1 and set(old.pieces) & set(new.pieces), "parts of a changed warehouse are the same"
    assert found is not None and found.outcome is Outcome.PROVED
    assert home_of(rebuilt(shelf, second, tmp_path / "again")) == home_of(taker.settings)


def test_rows_that_no_snapshot_holds_are_in_the_backup(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    with duckdb.connect(str(taker.settings.warehouse)) as connection:  # a killed run leaves it like this
        connection.execute("INSERT INTO gold.sales VALUES (-1, 'landed')")
    manifest, _ = taken(taker, shelf)
    again = rebuilt(shelf, manifest, tmp_path / "again")
    with duckdb.connect(str(again.warehouse), read_only=True) as connection:
        assert connection.execute("SELECT kind FROM gold.sales WHERE id = -1").fetchall() == [("landed",)]


def test_a_home_that_was_killed_while_it_claimed_a_store_still_owns_it(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))

    class Killed(Unreachable):
        def put(self, key: str, data: bytes) -> None:
            self.store.put(key, data)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Shelf(Killed(shelf.store, calls=0)).claim(taker.settings)  # type: ignore[arg-type]  # the rest is the store's
    assert shelf.claim(taker.settings)


KILLS = ["backup:staged", "backup:sent", "backup:written", "backup:proof fetched", "backup:judged"]


def killed_at(monkeypatch: pytest.MonkeyPatch, place: str, action: Callable[[], object]) -> None:
    def reach(reached: str) -> None:
        if reached == place:
            raise Killed(place)

    with monkeypatch.context() as patch:
        for module in (create, proof, rebuild):
            patch.setattr(module, "reach", reach)
        patch.setattr("shutil.rmtree", lambda *_args, **_options: None)  # a killed process removes nothing
        with pytest.raises(Killed):
            action()


@pytest.mark.parametrize("place", KILLS)
def test_a_backup_that_was_killed_does_not_count_and_the_next_one_does(
    taker: Taker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    killed_at(monkeypatch, place, lambda: taken(taker, shelf))
    assert Outcome.PROVED not in {item.outcome for item in shelf.proofs().values()}
    manifest, found = taken(taker, shelf)
    assert found is not None and found.outcome is Outcome.PROVED
    assert not list(taker.settings.home.glob(".backup-*"))
    assert home_of(rebuilt(shelf, manifest, tmp_path / "again")) == home_of(taker.settings)


def killed_while_cleaning_up(monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], object]) -> None:
    """The process was killed while it removed the folder of the file `name`. Of the files in the folder, only `name` is
    gone.
    """

    def remove_one(folder: Path, **_options: object) -> None:
        (folder / name).unlink()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", remove_one)
        with pytest.raises(Killed):
            action()


PLACES = ["backup:fetched", "backup:aside", "backup:arrived:archive", "backup:arrived:state", "backup:in place"]


@pytest.mark.parametrize("place", [*PLACES, ".done", ".complete"])
def test_a_rebuild_that_was_killed_is_finished_by_the_same_call(
    taker: Taker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    settings, shelf = taker.settings, Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    wanted = home_of(settings)
    night(settings, "DROP TABLE gold.sales")
    (settings.inbound / "shop/late.csv").write_text("later", encoding="utf-8")
    killed = killed_at if place in PLACES else killed_while_cleaning_up
    killed(monkeypatch, place, lambda: rebuild.into_home(settings, shelf, manifest))
    kept = rebuild.into_home(settings, shelf, manifest)
    assert home_of(settings) == wanted
    assert kept is not None and (kept / "inbound/shop/late.csv").read_text(encoding="utf-8") == "later"
    assert not [*settings.home.glob(".restoring-*"), *settings.home.glob(".removed-*")]


def test_old_backups_go_and_take_only_what_no_other_needs(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    platform = PLATFORM.model_copy(update={"backups": PLATFORM.backups.model_copy(update={"keep": 2})})
    taker = replace(taker, platform=platform)
    first, _ = taken(taker, shelf)
    alone_in_it = taker.settings.home / "inbound/shop/b.csv"
    alone_in_it.unlink()
    made = [taken(taker, shelf)[0] for _ in range(2)]
    assert [item.id for item in shelf.backups()] == [item.id for item in made]
    with pytest.raises(Absent):
        shelf.store.get(object_of(shelf, first, "b.csv"))
    assert all(proof.prove(taker.settings, shelf, item, now=NOW).outcome is Outcome.PROVED for item in made)


def test_an_empty_home_does_not_push_the_backups_of_another_out(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    empty = Settings(home=tmp_path / "empty", as_of=NOW)
    empty.home.mkdir()
    with pytest.raises(RestoreError, match="another home"):
        taken(replace(taker, settings=empty), shelf)
    rebuild.into_home(empty, shelf, manifest)
    assert taken(replace(taker, settings=empty), shelf)[0].home == manifest.home


def test_a_drill_measures_point_and_time_and_keeps_the_figures(taker: Taker, tmp_path: Path) -> None:
    shelf = Shelf(open_store(str(tmp_path / "backups")))
    manifest, _ = taken(taker, shelf)
    later = NOW.replace(hour=NOW.hour + 2)
    done = drill.drill(taker.settings, shelf, manifest, now=later)
    assert done.ok and done.recovery_point_seconds == 7200 and done.lost_files == 0 and done.recovery_seconds > 0
    shelf.store.delete(object_of(shelf, manifest, "a.csv"))
    assert not drill.drill(taker.settings, shelf, manifest, now=later).ok
    assert [item.ok for item in drill.history(taker.settings)] == [True, False]


def test_the_files_of_a_log_are_not_taken_beside_their_database(taker: Taker, tmp_path: Path) -> None:
    home = taker.settings.home
    with closing(sqlite3.connect(home / "ledger/ledger.db")) as open_elsewhere:
        open_elsewhere.execute("INSERT INTO alerts VALUES (-1, 'in the log')")
        open_elsewhere.commit()
        assert (home / "ledger/ledger.db-wal").exists()
        found = contents.stage(taker.settings, tmp_path / "still", None)
    assert [part.path for part in found.parts if part.path.startswith("ledger/")] == ["ledger/ledger.db"]
    assert found.sqlite["ledger/ledger.db"]["alerts"].rows == 101


def test_a_backup_after_a_killed_run_names_its_domain_and_is_not_good(taker: Taker, shelf: Shelf) -> None:
    announced.run(taker.settings, "killed", "shop")
    manifest, _ = taken(taker, shelf)
    assert not manifest.good
    newest = snapshots.newest(taker.settings).manifest
    assert (newest["failed"], newest["domain"]) == (["shop"], "shop")
    assert announced.unfinished(taker.settings) == set()


def test_a_run_that_was_killed_after_its_snapshot_needs_no_other_one(taker: Taker, shelf: Shelf) -> None:
    before = snapshots.newest(taker.settings)
    announced.run(taker.settings, str(before.manifest["run_id"]), "shop")
    manifest, _ = taken(taker, shelf)
    assert manifest.good
    assert snapshots.newest(taker.settings).id == before.id
