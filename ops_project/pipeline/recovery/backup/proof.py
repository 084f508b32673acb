"""Proves a backup: restores it into an empty home, opens the home, and compares every table's checksum. The outcome is
proved, failed or inconclusive. It is inconclusive if the proof did not finish, or could not judge the backup. Such a
backup does not count as proved.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.counted import counted
from ops_project.pipeline.recovery import staging
from ops_project.pipeline.recovery.backup.contents import DATABASES, sqlite_tables
from ops_project.pipeline.recovery.backup.create import STAGED, Tell
from ops_project.pipeline.recovery.backup.manifest import Manifest
from ops_project.pipeline.recovery.backup.rebuild import Damaged, fetch
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.databases import copies
from ops_project.pipeline.recovery.databases.connect import DatabaseUnusable
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside, chosen
from ops_project.pipeline.recovery.decide.backups import Outcome, Proof, judged
from ops_project.pipeline.recovery.stores import StoreUnusable
from ops_project.pipeline.warehouse import snapshots
from ops_project.process.kill_points import reach
from ops_project.settings import Settings


def prove(
    settings: Settings,
    shelf: Shelf,
    manifest: Manifest,
    *,
    now: datetime,
    tell: Tell = lambda _words: None,
    outside: Outside = NOTHING,
) -> Proof:
    """Prove a backup, and write the outcome into the store. Call this within `create.alone`. The only error is
    StoreUnusable, if the outcome cannot be written.

    The proof needs space for the whole backup on the disk of the home. A copy of a PostgreSQL is loaded into a separate
    schema on the server that `outside` names, in a transaction that is rolled back.
    """
    begun = Proof(Outcome.INCONCLUSIVE, now, "the proof did not finish")
    shelf.judge(manifest.id, begun)  # If this process is killed, this outcome stays in the store.
    folder = settings.home / f"{STAGED}proof-{manifest.id}"
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    try:
        outcome, words, damaged = _judge(shelf, manifest, folder, tell, outside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    proof = Proof(outcome, now, words, round(time.perf_counter() - began, 3), damaged)
    reach("backup:judged")
    shelf.judge(manifest.id, proof)
    return proof


def _judge(
    shelf: Shelf, manifest: Manifest, folder: Path, tell: Tell, outside: Outside
) -> tuple[Outcome, str, tuple[str, ...]]:
    try:
        folder.mkdir(parents=True)
        fetch(shelf, manifest, folder, tell)
        reach("backup:proof fetched")
        differences = compared(folder, manifest, outside)
    except Damaged as error:
        outcome, words = judged(error.pieces, (), manifest.unreadable)
        return outcome, words, error.pieces
    except (StoreUnusable, DatabaseUnusable, OSError, MemoryError, duckdb.OutOfMemoryException) as error:
        return Outcome.INCONCLUSIVE, f"the proof could not be finished: {error}", ()
    if differences and manifest.engine != duckdb.__version__:
        why = (
            f"it was taken with DuckDB {manifest.engine}, and this is {duckdb.__version__}, which may hash differently"
        )
        return Outcome.INCONCLUSIVE, f"{why}: {differences[0]}", ()
    outcome, words = judged((), differences, manifest.unreadable, manifest.elsewhere)
    return outcome, words, ()


def compared(folder: Path, manifest: Manifest, outside: Outside = NOTHING) -> list[str]:
    """Open every database of the home that was restored into `folder`. Returns each difference from the backup, in
    words. Raises DatabaseUnusable if a copy of a PostgreSQL cannot be judged.
    """
    found = []
    wanted = {name: copy.what for name, copy in manifest.databases.items()}
    for name, database in chosen(outside, wanted).items():
        found += copies.rehearse(database, folder / DATABASES / name, dict(manifest.databases[name].tables))
    if manifest.snapshot is not None:
        home = Settings(home=folder)
        [*_, snapshot] = [None, *snapshots.existing(home)]
        if snapshot is None:
            return [f"snapshot {manifest.snapshot} has no manifest that can be read"]
        source = staging.Source(f"snapshot {snapshot.id}", home.warehouse, snapshot.as_of, snapshot.tables)
        try:
            with staging.opened(home.warehouse, read_only=True) as connection:
                found += staging.differences(connection, source, tuple(source.tables))
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            found.append(f"the warehouse cannot be opened: {str(error).splitlines()[0]}")
    for path, tables in manifest.sqlite.items():
        try:
            now = sqlite_tables(folder / path)
        except (sqlite3.Error, OSError) as error:
            found.append(f"{path} cannot be opened: {error}")
            continue
        found += [
            f"{path}, table {name}: {counted(now[name].rows if name in now else 0, 'row')}, "
            f"not the {said.rows} of the backup"
            for name, said in tables.items()
            if now.get(name) != said
        ]
    return found
