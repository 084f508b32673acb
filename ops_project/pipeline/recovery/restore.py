"""Restores tables or the whole warehouse from a snapshot, and undoes a restore. The new warehouse is prepared in a
separate file, compared by checksum, and put in place by one rename, under the writer's lock. If a restore is killed, it
either has not happened, or the next call finishes it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ops_project.model.platform import Platform
from ops_project.pipeline.recovery import journal, out_of_date, restored, staging
from ops_project.pipeline.recovery.decide.plan import RestorePlan, changes
from ops_project.pipeline.recovery.decide.target import Candidate, RestoreError
from ops_project.pipeline.recovery.staging import Source
from ops_project.pipeline.warehouse import files, snapshots, standing
from ops_project.pipeline.warehouse.connection import Warehouse
from ops_project.pipeline.warehouse.fingerprints import Fingerprint
from ops_project.process.kill_points import reach
from ops_project.settings import Settings
from ops_project.sql_text import literal

STAGED, BEFORE = "staged.duckdb", "before.duckdb"


@dataclass(frozen=True)
class Wanted:
    """The request for a restore. `tables` is empty for the whole warehouse."""

    source: Source
    tables: tuple[str, ...]
    downstream: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The restored tables in words, for the audit log and for the note in the warehouse."""
        return ", ".join(self.tables) or "the whole warehouse"


@dataclass(frozen=True)
class Context:
    """Who asks for a restore, and when."""

    settings: Settings
    platform: Platform
    by: str
    now: datetime
    commit: str
    asked: str = ""
    """The words of the command, by which a repeated command is recognised."""


def candidates(settings: Settings) -> list[Candidate]:
    """The existing snapshots, the oldest first."""
    return [Candidate(item.id, item.as_of, frozenset(item.tables), item.good) for item in snapshots.existing(settings)]


def snapshot_source(settings: Settings, snapshot: str) -> Source:
    """A snapshot to restore from. Raises RestoreError if it no longer exists."""
    for item in snapshots.existing(settings):
        if item.id == snapshot:
            return Source(f"snapshot {item.id}", item.database, item.as_of, item.tables)
    raise RestoreError(f"snapshot {snapshot} is not there any more; `ops restore --all` without --to lists what is")


def undo_source(settings: Settings) -> tuple[Source, journal.Entry]:
    """The content before the last restore. Raises RestoreError if it cannot be restored."""
    entry = journal.last(settings)
    if entry is None:
        raise RestoreError("nothing was restored here, so there is nothing to undo")
    before = journal.folder(settings, entry.id) / BEFORE
    if not entry.usable_before or not before.is_file():
        raise RestoreError(
            f"the restore of {entry.source} cannot be undone: before it there was no warehouse that could be opened"
        )
    try:
        with staging.opened(before, read_only=True) as connection:
            found = staging.held(connection, entry.tables or None, with_views=True)
    except duckdb.Error as error:
        raise RestoreError(
            f"the restore of {entry.source} cannot be undone: the warehouse before it was damaged "
            f"({str(error).splitlines()[0]}); its file is kept: {before}"
        ) from error
    return Source(f"undo of {entry.id}", before, datetime.fromisoformat(entry.at), found), entry


def plan(settings: Settings, wanted: Wanted) -> RestorePlan:
    """The plan of a restore. The caller holds the lock. Nothing is written."""
    whole = not wanted.tables
    warnings: list[str] = []
    now: dict[str, Fingerprint] = {}
    undoable = settings.warehouse.is_file()
    lost: tuple[str, ...] = ()
    try:
        if settings.warehouse.is_file():
            with staging.opened(settings.warehouse, read_only=True) as connection:
                now = staging.held(connection, wanted.tables or None, with_views=True)
                lost = _lost(connection, wanted)
        elif not whole:
            raise _needs_all(settings)
        else:
            warnings.append(f"The warehouse {settings.warehouse} is gone, so this restore cannot be undone.")
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(settings, error) from error
        if not whole:
            raise _needs_all(settings) from error
        undoable = False
        warnings.append(
            "The warehouse cannot be opened; its file is kept beside the new one, and the restore cannot be undone."
        )
    names = wanted.tables or {*wanted.source.tables, *now}
    found = changes(names, staging.briefly(now), staging.briefly(dict(wanted.source.tables)))
    return RestorePlan(
        source=wanted.source.name,
        as_of=wanted.source.as_of.isoformat(),
        whole=whole,
        changes=found,
        downstream=wanted.downstream,
        lost_batches=lost,
        warnings=tuple(warnings),
        undoable=undoable,
    )


def finish(context: Context) -> journal.Entry | None:
    """Finish a restore that was killed, or remove its files. The caller holds the lock. Returns the entry if this call
    finished a restore, or if an earlier call did the same request and was killed before it could report this.
    """
    settings, entry = context.settings, journal.last(context.settings)
    _remove_others(settings, keep={item for item in (entry and entry.id, entry and entry.previous_id) if item})
    if entry is None or entry.state == journal.DONE:
        return None
    if entry.state == journal.FINISHED:
        if context.asked and entry.asked == context.asked and restored.newest_run(settings) == restored.run_id(entry):
            return entry
        conclude(settings)
        return None
    if settings.warehouse.is_file() and staging.has_note(settings.warehouse, entry.id):
        return _close(context, entry)
    kept = journal.folder(settings, entry.id) / f"{BEFORE}.wal"
    log = _log(settings)
    if kept.exists() and not log.exists():
        kept.rename(log)
    journal.take_back(settings, entry)
    shutil.rmtree(journal.folder(settings, entry.id), ignore_errors=True)
    return None


def apply(context: Context, wanted: Wanted) -> journal.Entry:
    """Do what the plan says, after `finish`. The caller holds the lock. If RestoreError is raised, nothing has changed.
    A new snapshot makes the restored tables visible to readers and later runs.
    """
    settings, whole = context.settings, not wanted.tables
    entry = journal.Entry(
        id=uuid.uuid4().hex[:12],
        source=wanted.source.name,
        tables=wanted.tables,
        by=context.by,
        at=context.now.isoformat(),
        downstream=wanted.downstream,
        asked=context.asked,
        previous=journal.kept(journal.last(settings)),
    )
    folder = journal.folder(settings, entry.id)
    usable = _fold_in(settings)
    if not whole and not usable:
        raise _needs_all(settings)
    if not whole:
        # Tables are not put into a warehouse that belongs to another home.
        warehouse = Warehouse(settings, context.platform)
        try:
            standing.require(settings, warehouse.connection, context.now)
        finally:
            warehouse.close()
    folder.mkdir(parents=True)
    staged = folder / STAGED
    try:
        files.copy(wanted.source.database if whole else settings.warehouse, staged)
        reach("restore:copied")
        with staging.opened(staged) as connection:
            connection.execute(f"SET temp_directory = {literal(str(folder / 'spill'))}")
            if not whole:
                staging.replace(connection, wanted.source, wanted.tables)
                # If other tables of the file cannot be read, the file is not used.
                staging.held(connection)
            staging.compare(connection, wanted.source, wanted.tables or tuple(wanted.source.tables))
            staging.note(connection, entry.id, wanted.source.name, what=wanted.words, by=context.by, now=context.now)
            connection.execute("CHECKPOINT")
            entry = replace(entry, usable_before=usable, load_seq=snapshots.load_sequence(connection))
        files.sync(staged)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.OutOfMemoryException):
            raise _unreadable(settings, wanted, error) from error
        raise
    journal.write(settings, entry)
    reach("restore:staged")
    _keep(settings, entry)
    reach("restore:kept")
    staged.rename(settings.warehouse)
    files.sync_folder(settings.warehouse.parent)
    reach("restore:swapped")
    return _close(context, entry)


def conclude(settings: Settings) -> None:
    """Record that the command has reported the end. After this, a command with the same words is a new restore."""
    entry = journal.last(settings)
    if entry is not None and entry.state == journal.FINISHED:
        journal.write(settings, replace(entry, state=journal.DONE))


def written_since(settings: Settings, entry: journal.Entry) -> list[str]:
    """Restored tables whose content changed after the restore; `the whole warehouse` if files have landed since
    then.
    """
    try:
        with staging.opened(settings.warehouse, read_only=True) as connection:
            if not entry.tables:
                landed = snapshots.load_sequence(connection) > entry.load_seq
                return ["the whole warehouse"] if landed else []
            found = {table: value.checksum for table, value in staging.held(connection, entry.tables).items()}
    except duckdb.Error:
        return []
    return [table for table, checksum in entry.checksums if found.get(table) != checksum]


def _fold_in(settings: Settings) -> bool:
    """Write the write-ahead log into the file. Returns whether the warehouse can be opened."""
    if not settings.warehouse.is_file():
        return False
    try:
        with staging.opened(settings.warehouse) as connection:
            connection.execute("CHECKPOINT")
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise _open_elsewhere(settings, error) from error
        return False
    return True


def _needs_all(settings: Settings) -> RestoreError:
    return RestoreError(
        f"the warehouse {settings.warehouse} is missing or cannot be opened, so no single table can be put into it: "
        "`ops restore --all --to newest` brings it back"
    )


def _unreadable(settings: Settings, wanted: Wanted, error: duckdb.Error) -> RestoreError:
    which = "choose another snapshot, or a backup"
    if wanted.tables:
        which = (
            "if it is the warehouse that is damaged, `ops restore --all --to newest` brings it back; otherwise " + which
        )
    return RestoreError(
        f"{wanted.words} could not be staged from {wanted.source.name} beside {settings.warehouse}: "
        f"{str(error).splitlines()[0]}. Nothing was changed: {which}"
    )


def _open_elsewhere(settings: Settings, error: duckdb.Error) -> RestoreError:
    return RestoreError(
        f"the warehouse {settings.warehouse} is open in another program ({str(error).splitlines()[0]}). Close it first."
    )


def _keep(settings: Settings, entry: journal.Entry) -> None:
    """Give the present file a second name, so that it survives the rename. Its log must not stay beside the new
    file.
    """
    folder = journal.folder(settings, entry.id)
    if settings.warehouse.is_file():
        files.link(settings.warehouse, folder / BEFORE)
    if (log := _log(settings)).exists():
        log.rename(folder / f"{BEFORE}.wal")
    files.sync_folder(folder)


def _log(settings: Settings) -> Path:
    return settings.warehouse.with_name(f"{settings.warehouse.name}.wal")


def _close(context: Context, entry: journal.Entry) -> journal.Entry:
    """Take a snapshot of the restored file, mark tables, and remove the files of older restores."""
    settings = context.settings
    warehouse = Warehouse(settings, context.platform)
    try:
        connection = warehouse.connection()
        found = staging.held(connection, entry.tables or None)
        if restored.newest_run(settings) != restored.run_id(entry):
            snapshots.take(
                warehouse,
                run_id=restored.run_id(entry),
                as_of=context.now,
                commit=context.commit,
                failed=restored.failed(settings, entry),
                replaced=True,
            )
        standing.require(settings, warehouse.connection, context.now)
    finally:
        warehouse.close()
    reach("restore:snapshot")
    if entry.downstream:
        out_of_date.clear(settings, entry.tables)
        because = f"{', '.join(entry.tables)} was restored from {entry.source}"
        out_of_date.mark(settings, entry.downstream, because, context.now)
    checksums = tuple((table, found[table].checksum) for table in sorted(found) if table in entry.tables)
    done = replace(entry, state=journal.FINISHED, checksums=checksums, previous=None)
    journal.write(settings, done)
    reach("restore:done")
    _remove_others(settings, keep={entry.id})
    return done


def _remove_others(settings: Settings, keep: Collection[str]) -> None:
    """Remove the files of older restores. Only the last restore can be undone, and the files of each restore need the
    space of a warehouse.
    """
    root = journal.folder(settings, "x").parent
    for path in root.iterdir() if root.is_dir() else ():
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)


def _lost(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> tuple[str, ...]:
    """Loaded files whose rows the restored tables lack."""
    feeds = [name for schema, _, name in (table.partition(".") for table in wanted.tables) if schema == "bronze"]
    if wanted.tables and not feeds:
        return ()
    try:
        connection.execute(f"ATTACH {literal(str(wanted.source.database))} AS restored (READ_ONLY)")
        rows = connection.execute(
            "SELECT batch_id FROM ops.batches WHERE status = 'loaded' AND (len($1) = 0 OR feed IN (SELECT unnest($1))) "
            "AND batch_id NOT IN (SELECT batch_id FROM restored.ops.batches WHERE status = 'loaded') ORDER BY load_seq",
            [feeds],
        ).fetchall()
    except duckdb.Error:
        return ()  # The warehouse has no journal of files.
    return tuple(row[0] for row in rows)
