"""Restores and backups are killed at many moments of their work and called again. The result equals that of an
undisturbed call. The suite tests a few moments of each; `make soak` tests every one.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ops_project.pipeline.recovery import restore, staging
from ops_project.pipeline.recovery.backup import proof, rebuild
from ops_project.pipeline.recovery.backup.create import Taker, alone
from ops_project.pipeline.recovery.backup.routine import routine
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.decide.backups import Outcome
from ops_project.pipeline.recovery.stores import open_store
from ops_project.pipeline.warehouse import identity, snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.process import locks
from ops_project.settings import Settings
from tests import killed
from tests.empty_home import NOW
from tests.pipeline.recovery.backup.conftest import PLATFORM

FEW, ALL = 4, 10_000
MOMENTS = [
    pytest.param(FEW, id="few"),
    pytest.param(ALL, id="all", marks=[pytest.mark.soak, pytest.mark.timeout(1800)]),
]
ROOMY = PLATFORM.model_copy(update={"snapshots": PLATFORM.snapshots.model_copy(update={"keep": 50})})
OF_THE_RESTORE_ITSELF = (staging.RESTORES, identity.TABLE)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two nights, each with a snapshot; with a file that waits, an archived file and a ledger."""
    settings = Settings(home=tmp_path_factory.mktemp("killed") / "home", as_of=NOW)
    night(settings, "CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id FROM range(2000)")
    night(
        settings,
        "INSERT INTO gold.sales SELECT range FROM range(2000, 2100); CREATE TABLE gold.later AS SELECT 1 AS id",
    )
    for name in ("archive/shop/a.csv", "inbound/shop/b.csv", "published/shop/000001/sales.parquet"):
        (settings.home / name).parent.mkdir(parents=True)
        (settings.home / name).write_text(f"the bytes of {name}", encoding="utf-8")
    (settings.published / "shop" / "current").symlink_to("000001")
    (settings.home / "ledger").mkdir()
    with closing(sqlite3.connect(settings.home / "ledger" / "ledger.db")) as ledger:
        ledger.executescript("CREATE TABLE alerts (id INTEGER); INSERT INTO alerts VALUES (1), (2)")
    return settings.home


@pytest.fixture
def home(built: Path, tmp_path: Path) -> Settings:
    shutil.copytree(built, tmp_path / "home", symlinks=True)
    return Settings(home=tmp_path / "home", as_of=NOW)


def night(settings: Settings, sql: str) -> None:
    with writer(settings, ROOMY, owner="test", now=NOW) as held:
        held.connection().execute(sql)
        snapshots.take(held, run_id="night", as_of=NOW, commit="c0ffee")


def state(settings: Settings) -> dict[str, object]:
    """Every table of the warehouse and of the newest snapshot, and every other file."""
    found: dict[str, object] = {}
    for what, file in (("warehouse", settings.warehouse), ("snapshot", snapshots.newest(settings).database)):
        with staging.opened(file, read_only=True) as connection:
            tables = staging.held(connection)
        found[what] = {name: said.checksum for name, said in tables.items() if name not in OF_THE_RESTORE_ITSELF}
    for path in sorted(settings.home.rglob("*")):
        name = path.relative_to(settings.home).as_posix()
        if name.startswith(("archive", "inbound", "published")):
            found[name] = str(path.readlink()) if path.is_symlink() else path.is_dir() or path.read_bytes()
    with closing(sqlite3.connect(settings.home / "ledger" / "ledger.db")) as ledger:
        found["alerts"] = ledger.execute("SELECT id FROM alerts").fetchall()
    left = [path.name for path in settings.home.iterdir() if path.name.startswith((".backup-", ".restoring-"))]
    return found | {"left": left}


def restored(settings: Settings, number: int, *tables: str) -> None:
    """Restore as `ops restore` does: first a killed restore is finished."""
    context = restore.Context(settings, ROOMY, "ada", NOW, "c0ffee", f"{tables} to {number}")
    with locks.hold(settings.lock, owner="test", now=NOW):
        finished = restore.finish(context)
        if finished is None or finished.asked != context.asked:
            source = restore.snapshot_source(settings, snapshots.existing(settings)[number].id)
            restore.apply(context, restore.Wanted(source, tables))
    restore.conclude(settings)


def undone(settings: Settings) -> None:
    context = restore.Context(settings, ROOMY, "ada", NOW, "c0ffee", "undo")
    with locks.hold(settings.lock, owner="test", now=NOW):
        finished = restore.finish(context)
        if finished is None or finished.asked != "undo":
            source, entry = restore.undo_source(settings)
            restore.apply(context, restore.Wanted(source, entry.tables))
    restore.conclude(settings)


def check(home: Settings, folder: Path, command: Callable[[Settings], object], moments: int) -> None:
    folder.mkdir()
    at = list(killed.repeated(home, folder, command, moments, state))
    assert len(at) >= FEW, f"it was killed at {at} only"


@pytest.mark.parametrize("moments", MOMENTS)
@pytest.mark.parametrize("tables", [("gold.sales",), ()], ids=["table", "whole"])
def test_a_restore(home: Settings, tmp_path: Path, tables: tuple[str, ...], moments: int) -> None:
    check(home, tmp_path / "kills", lambda settings: restored(settings, 0, *tables), moments)


@pytest.mark.parametrize("moments", MOMENTS)
def test_an_undo(home: Settings, tmp_path: Path, moments: int) -> None:
    restored(home, 0, "gold.sales")
    check(home, tmp_path / "kills", undone, moments)


def shelf_of(settings: Settings) -> Shelf:
    return Shelf(open_store(str(settings.home.with_name(f"{settings.home.name}-backups"))))


def backed_up(settings: Settings) -> None:
    taker = Taker(settings, ROOMY, "ada", NOW, "c0ffee")
    with alone(settings, "test", NOW, taker.tell):
        _, found = routine(taker, shelf_of(settings), "/anywhere")
    assert found is not None and found.outcome is Outcome.PROVED, found


def state_of_backup(settings: Settings) -> dict[str, object]:
    """The content of the newest backup. Fails if a backup that counts as proved cannot be proved again."""
    shelf, again = shelf_of(settings), Settings(home=settings.home.with_name("again"), as_of=NOW)
    shutil.rmtree(again.home, ignore_errors=True)
    again.home.mkdir()
    for item in shelf.backups():
        said = shelf.proofs().get(item.id)
        if said is not None and said.outcome is Outcome.PROVED:
            assert proof.prove(settings, shelf, shelf.manifest(item.id), now=NOW).outcome is Outcome.PROVED
    rebuild.into_home(again, shelf, shelf.manifest(shelf.backups()[-1].id))
    return state(again) | {"left here": state(settings)["left"]}


@pytest.mark.parametrize("moments", MOMENTS)
def test_a_backup(home: Settings, tmp_path: Path, moments: int) -> None:
    (tmp_path / "kills").mkdir()
    at = list(killed.repeated(home, tmp_path / "kills", backed_up, moments, state_of_backup))
    assert len(at) >= FEW


@pytest.mark.parametrize("moments", MOMENTS)
def test_a_home_that_is_built_again(home: Settings, tmp_path: Path, moments: int) -> None:
    backed_up(home)
    shelf = shelf_of(home)
    manifest = shelf.manifest(shelf.backups()[-1].id)
    night(home, "DROP TABLE gold.sales")
    (home.inbound / "shop" / "late.csv").write_text("later", encoding="utf-8")
    check(home, tmp_path / "kills", partial(rebuild.into_home, shelf=shelf, manifest=manifest), moments)
