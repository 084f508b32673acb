"""Snapshots: complete copies of the warehouse that people and programs can read while the next run writes. A snapshot
exists completely or not at all. The newest few are kept. The engine prevents readers from writing to a snapshot, and
from reading anything else.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ops_project.failures import Unusable
from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import announced, files, identity, retention
from ops_project.pipeline.warehouse.fingerprints import Fingerprint, fingerprint, tables
from ops_project.pipeline.warehouse.touched import WHOLE_BUILDS, BuiltByDates, touched_dates
from ops_project.process.kill_points import reach
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.warehouse.connection import Warehouse

DATABASE = "warehouse.duckdb"
MANIFEST = "manifest.json"
PARTIAL = ".partial-"
_ID = re.compile(r"^\d{6}-")
UNREADABLE = (OSError, ValueError, KeyError, TypeError)
"""The errors that reading a damaged manifest can raise."""
_OPENING = threading.Lock()
"""A connection holds this lock while it checks and locks the settings of its engine."""


class SnapshotUnusable(Unusable):
    """The newest snapshot cannot be read. The message names it, and says why and what to do."""


class NoSnapshot(LookupError):
    """There is nothing to read yet. The message says what to do."""


@dataclass(frozen=True)
class Snapshot:
    """One copy of the warehouse. Its id begins with an increasing number. The newest snapshot is the one that was made
    last. Its as-of time need not be the latest.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.manifest["as_of"])

    @property
    def good(self) -> bool:
        """Whether nothing had failed in the last run of each domain."""
        return retention.is_good(self.manifest)

    @property
    def tables(self) -> dict[str, Fingerprint]:
        return {name: Fingerprint.from_json(data) for name, data in self.manifest["tables"].items()}


def newest(settings: Settings) -> Snapshot:
    """The snapshot that was made last. Raises NoSnapshot."""
    found = existing(settings)
    if not found:
        raise NoSnapshot(f"no snapshot in {settings.snapshots} yet: `ops run` makes one at its end")
    return found[-1]


def existing(settings: Settings) -> list[Snapshot]:
    """All complete snapshots, oldest first."""
    found = []
    for folder in _folders(settings):
        try:
            found.append(_read(folder))
        except UNREADABLE:
            continue  # The snapshot is just being removed, or its manifest is damaged (see `unreadable`).
    return found


def unreadable(settings: Settings) -> str:
    """A message about the newest snapshot if its manifest cannot be read, and an empty text otherwise. While the
    manifest cannot be read, readers get an earlier snapshot.
    """
    newest_folder = next(reversed(_folders(settings)), None)
    if newest_folder is None:
        return ""
    try:
        _read(newest_folder)
    except UNREADABLE as error:
        if not newest_folder.is_dir():
            return ""  # The snapshot has just been removed.
        reason = error.strerror if isinstance(error, OSError) else "it is not a manifest"
        return (
            f"The newest snapshot cannot be read: {newest_folder / MANIFEST}: {reason}. Questions are answered from an "
            "older one, if there is one. The next run that builds a table makes a new one; or bring the file back from "
            "a backup (`ops backup list`)."
        )
    return ""


def _folders(settings: Settings) -> list[Path]:
    """The folders of all snapshots, oldest first. Snapshots that cannot be read are included."""
    if not settings.snapshots.is_dir():
        return []
    return sorted(path for path in settings.snapshots.iterdir() if _ID.match(path.name))


def _read(folder: Path) -> Snapshot:
    """The snapshot in a folder. Raises one of UNREADABLE if the manifest is not complete."""
    found = Snapshot(folder, read_object(folder / MANIFEST))
    if not isinstance(found.as_of, datetime) or not isinstance(found.manifest["tables"], dict):
        raise ValueError("it is not a manifest")
    return found


def open(
    snapshot: Snapshot, memory_limit: str = "2GB", threads: int = 0, explain: str = "physical_only"
) -> duckdb.DuckDBPyConnection:
    """A connection that can only read this one file. If this process already has the file open, the limits of the
    earlier connection apply to this one too.

    `explain`: the engine's `explain_output`.

    `access_mode=read_only` alone would permit COPY … TO and reading any file. So access to other files is switched off.
    The configuration is locked, so that a query cannot remove these limits.
    """
    with _OPENING:
        connection = duckdb.connect(str(snapshot.database), read_only=True)
        # Connections of one process to the same file share an engine. So a setting that one of them has locked applies
        # to all of them.
        if not _locked(connection):
            limits = [f"SET threads = {threads}"] if threads else []
            # Time zones come from an extension. The engine loads it only while it may access files, so they are set
            # first.
            for statement in (
                "SET GLOBAL TimeZone = 'UTC'",
                f"SET GLOBAL memory_limit = '{memory_limit}'",
                f"SET explain_output = '{explain}'",
                *limits,
                "SET enable_external_access = false",
                "SET lock_configuration = true",
            ):
                connection.execute(statement)
    return connection


def _locked(connection: duckdb.DuckDBPyConnection) -> bool:
    found = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    return found is not None and bool(found[0])


def unfinished(settings: Settings, ending: str = "") -> set[str]:
    """The domains of the runs that ended without a snapshot, except `ending`, which takes one now. A run that was
    killed after its snapshot has finished, although its announcement may still be there.
    """
    done = {str(item.manifest.get("run_id")) for item in existing(settings)[-1:]}
    return announced.unfinished(settings, {ending, *done})


def is_behind(settings: Settings) -> bool:
    """Whether the warehouse was written to or replaced after the newest snapshot, or has no snapshot. Each run ends
    with a snapshot. So a later change was made outside of any run, or by a run that was killed.
    """
    found = existing(settings)
    if not found:
        return True
    warehouse, newest = settings.warehouse.stat(), found[-1]
    # A copy that replaced the warehouse may have the same time, but probably not the same size.
    return warehouse.st_mtime_ns > (
        newest.folder / MANIFEST
    ).stat().st_mtime_ns or warehouse.st_size != newest.manifest.get("size_bytes", warehouse.st_size)


def take(
    warehouse: Warehouse,
    *,
    run_id: str,
    as_of: datetime,
    commit: str,
    domain: str | None = None,
    window: tuple[date, date] | None = None,
    good: bool = True,
    whole: bool = True,
    failed: Collection[str] | None = None,
    landed: Collection[str] | None = None,
    models: Mapping[str, BuiltByDates] | None = None,
    config: Mapping[str, str] | None = None,
    replaced: bool = False,
) -> Snapshot:
    """Copy the warehouse.

    `window`: business dates that this run rebuilt besides those that were touched.
    `good`: whether no step of the run failed and nothing that it found forbids publishing a table.
    `whole`: whether the run built its whole domain.
    `failed`: the domains whose last run failed. None: the failed domains of the newest snapshot, except that this
    run decides about its own domain.
    `landed`: the domains that have data. None: the domains that had a run.
    `models`: the models that change by dates. Every other large table is hashed as a whole.
    `config`: the configuration files that the run used → their digests.
    `replaced`: tables were replaced without an entry in a journal of dates. Each table is then hashed as a whole, as
    after a change outside of any run.
    """
    models = models or {}
    settings = warehouse.settings
    connection = warehouse.connection()
    earlier = existing(settings)
    before = earlier[-1:]
    windows = [*announced.rebuilds(settings), *([window] if window is not None else [])]
    known = identity.advance(connection, before[0].manifest.get("generation", 0) if before else 0)
    unseen = replaced or warehouse.changed_unseen or announced.EVERY_DATE in windows
    compared = before[0] if before and not unseen else None
    found = _fingerprints(connection, compared, windows, models)
    warehouse.checkpoint()
    settings.snapshots.mkdir(parents=True, exist_ok=True)
    # The number of a snapshot that cannot be read is not used again.
    taken = [int(path.name[:6]) for path in _folders(settings)]
    name = f"{max(taken, default=0) + 1:06d}-{run_id[:8]}"
    partial = settings.snapshots / f"{PARTIAL}{name}"
    folder = settings.snapshots / name
    with files.whole(partial, folder):
        how = files.copy(settings.warehouse, partial / DATABASE)
        reach("snapshot:copied")
        manifest = {
            "id": name,
            "as_of": as_of.isoformat(),
            "run_id": run_id,
            "commit": commit,
            "domain": domain,
            **retention.standing(
                [item.manifest for item in earlier],
                name,
                domain,
                good=good,
                whole=whole,
                failed=failed,
                unfinished=unfinished(settings, run_id),
                landed=landed,
            ),
            "good": good,
            "warehouse_id": known.id,
            "generation": known.generation,
            "copied_by": how,
            "size_bytes": (partial / DATABASE).stat().st_size,
            "load_seq": load_sequence(connection),
            "builds": _builds(connection),
            "whole_builds": _whole_builds(connection),
            "config": dict(config or {}),
            "code": {table: model.code for table, model in models.items() if table in found},
            "tables": {table: value.to_json() for table, value in found.items()},
        }
        files.write_json(partial / MANIFEST, manifest)
    announced.clear(settings)
    warehouse.changed_unseen = False
    reach("snapshot:renamed")
    prune(settings, warehouse.platform.snapshots.keep)
    return Snapshot(folder, manifest)


def prune(settings: Settings, keep: int) -> list[str]:
    """Remove old snapshots. A process that has one open can continue to read it. Returns the removed ids."""
    found = existing(settings)
    stay = retention.stay([snapshot.manifest for snapshot in found], keep)
    readable = {snapshot.id for snapshot in found}
    # An unreadable snapshot stays until `keep` newer ones can be read, because a person may restore its manifest.
    old = [
        folder
        for folder in _folders(settings)
        if folder.name not in stay and (folder.name in readable or sum(name > folder.name for name in readable) >= keep)
    ]
    for folder in old:
        # A half-removed snapshot must not look complete. So the folder first gets a name that no list shows.
        doomed = folder.with_name(f"{PARTIAL}old-{folder.name}")
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    return [folder.name for folder in old]


def remove_partial(settings: Settings) -> list[str]:
    """Remove half-written folders of killed runs. The caller holds the lock. Returns the names of the removed
    folders.
    """
    if not settings.snapshots.is_dir():
        return []
    partial = [path for path in settings.snapshots.iterdir() if path.name.startswith(PARTIAL)]
    for path in partial:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in partial]


def _days(windows: Sequence[tuple[date, date]]) -> set[str]:
    return {str(first + timedelta(days=n)) for first, last in windows for n in range((last - first).days + 1)}


def _fingerprints(
    connection: duckdb.DuckDBPyConnection,
    before: Snapshot | None,
    windows: Sequence[tuple[date, date]],
    models: Mapping[str, BuiltByDates],
) -> dict[str, Fingerprint]:
    # A file of announcements that cannot be read means every date of the calendar, and then nothing is compared.
    rebuilt = _days(windows) if before else set()
    old = before.tables if before else {}
    now = tables(connection)
    return {
        table: fingerprint(
            connection,
            table,
            columns,
            before=old.get(table),
            touched=None
            if before is None
            else touched_dates(
                connection, table, before=before.manifest, models=models, rebuilt=rebuilt, known=now.keys()
            ),
        )
        for table, columns in now.items()
    }


def load_sequence(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the last file that was taken; 0 if there is none."""
    if "ops.batches" not in tables(connection, ["ops"]):
        return 0
    row = connection.execute("SELECT coalesce(max(load_seq), 0) FROM ops.batches").fetchone()
    return int(row[0]) if row else 0


def _builds(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    if "ops.builds" not in tables(connection, ["ops"]):
        return {}
    return {
        model: int(seq)
        for model, seq in connection.execute("SELECT model, max(load_seq) FROM ops.builds GROUP BY 1").fetchall()
        if seq is not None
    }


def _whole_builds(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    if WHOLE_BUILDS not in tables(connection, ["ops"]):
        return {}
    return dict(connection.execute(f"SELECT model, times FROM {WHOLE_BUILDS}").fetchall())
