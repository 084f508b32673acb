"""Rebuilds a home from a backup. The files are fetched into a separate folder, checked by checksum, and then moved into
the home. If a rebuild was killed, the same call finishes it: fetched files are not fetched again, and each part of the
home is moved by one rename.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from ops_project.counted import counted
from ops_project.pipeline.recovery.backup.contents import DATABASES
from ops_project.pipeline.recovery.backup.manifest import File, Manifest
from ops_project.pipeline.recovery.backup.shelf import Shelf, object_key
from ops_project.pipeline.recovery.databases import copies
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside, chosen
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.recovery.stores import Absent
from ops_project.pipeline.warehouse import files, snapshots
from ops_project.process.kill_points import reach
from ops_project.process.removal import remove_folder
from ops_project.settings import Settings

FETCHED, BEFORE, COMPLETE = ".restoring-", ".before-restore-", ".complete"
STAYS = frozenset({"writer.lock", "backup.lock"})


class Damaged(RestoreError):
    """Objects of the store are missing or changed. `pieces` lists them."""

    def __init__(self, backup: str, pieces: list[str], paths: list[str]) -> None:
        super().__init__(
            f"backup {backup} cannot be restored: {len(pieces)} of its objects are missing or changed in the store; "
            f"they belong to {', '.join(paths[:5])}{' and others' if len(paths) > 5 else ''}. Nothing was changed: "
            "choose another backup"
        )
        self.pieces = tuple(pieces)


def fetch(shelf: Shelf, manifest: Manifest, folder: Path, tell: Callable[[str], None] = lambda _words: None) -> None:
    """Fetch every file of the backup into `folder`, as it was in the home. The warehouse is made from the snapshot. A
    complete file that already exists is not fetched again.

    Raises StoreUnusable. Raises Damaged if objects are missing or changed; all objects are tried first.
    """
    for name in manifest.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    damaged: list[str] = []
    paths: list[str] = []
    for number, file in enumerate(manifest.files, start=1):
        target = folder / file.path
        if target.is_file() and _pieces_of(target, file) == file.pieces:
            continue
        found = _fetch(shelf, file, target)
        if found:
            damaged += found
            paths.append(file.path)
        if number % 100 == 0 or number == len(manifest.files):
            tell(f"{number:,} of {counted(len(manifest.files), 'file')}")
    if damaged:
        raise Damaged(manifest.id, damaged, paths)
    for path, leads_to in manifest.links.items():
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(leads_to)
    if manifest.snapshot is not None:
        _warehouse(folder, manifest.snapshot)


def into_home(
    settings: Settings,
    shelf: Shelf,
    manifest: Manifest,
    tell: Callable[[str], None] = lambda _words: None,
    outside_of: Callable[[Path], Outside] = lambda _home: NOTHING,
) -> Path | None:
    """Rebuild the home from the backup. The caller holds the writer's lock of the home. Returns the folder with the
    earlier content of the home; None if there was none.

    `outside_of`: gets a folder with the files of a home, and returns the parts of this home that are not in its folder.

    If Damaged, StoreUnusable or DatabaseUnusable is raised, the home is unchanged.
    """
    home = settings.home
    fetched, before = home / f"{FETCHED}{manifest.id}", home / f"{BEFORE}{manifest.id}"
    if not (fetched / COMPLETE).exists():
        fetched.mkdir(exist_ok=True)
        fetch(shelf, manifest, fetched, tell)
        reach("backup:fetched")
        (fetched / COMPLETE).touch()
        files.sync_folder(fetched)
    _databases(manifest, fetched, outside_of(fetched), tell)
    arriving = sorted(path.name for path in fetched.iterdir() if not path.name.startswith("."))
    # Parts that the backup does not contain are moved away too. Otherwise newer parts would stay beside the older
    # content.
    leaving = {path.name for path in home.iterdir() if not path.name.startswith(".") and path.name not in STAYS}
    done = fetched / ".done"
    already = set(done.read_text(encoding="utf-8").split("\n")) if done.is_file() else set()
    for name in sorted(leaving - already):
        before.mkdir(exist_ok=True)
        _aside(home / name, before)
    reach("backup:aside")
    for name in arriving:
        # Each name is recorded before its part is moved into the home. So if this call is killed, the next call does
        # not move the same part away again.
        already.add(name)
        partial = fetched / ".done.new"
        partial.write_text("\n".join(sorted(already)), encoding="utf-8")
        partial.rename(done)
        if (home / name).exists():
            before.mkdir(exist_ok=True)
            _aside(home / name, before)
        (fetched / name).rename(home / name)
        reach(f"backup:arrived:{name}")
    files.sync_folder(home)
    reach("backup:in place")
    # This removes COMPLETE and the record of the arrived parts together. A call that found COMPLETE without the record
    # would move the whole home away.
    remove_folder(fetched)
    return before if before.is_dir() else None


def _databases(manifest: Manifest, fetched: Path, outside: Outside, tell: Callable[[str], None]) -> None:
    """Restore the databases, each in one transaction. This is done before the files are moved, so that the home is
    unchanged if a server refuses.
    """
    wanted = chosen(outside, {name: copy.what for name, copy in manifest.databases.items()})
    places = {name: copies.reachable(database) for name, database in wanted.items()}
    for name, database in outside.databases.items():
        if name not in wanted:
            tell(
                f"{database.what} lay in the home when the backup was taken, and comes back as a file. Its PostgreSQL "
                "is left as it is"
            )
    for name, database in wanted.items():
        tell(f"{database.what} into {places[name]}")
        tables = dict(manifest.databases[name].tables)
        kept = copies.load(database, fetched / DATABASES / name, tables, manifest.id)
        if kept.schema:
            tell(f"the earlier content of {database.what} is kept in schema {kept.schema}")


def _aside(path: Path, before: Path) -> None:
    target, number = before / path.name, 1
    while target.exists():
        number += 1
        target = before / f"{path.name}.{number}"
    path.rename(target)


def _fetch(shelf: Shelf, file: File, target: Path) -> list[str]:
    """Write one file completely or not at all. Returns the pieces that are missing or changed in the store."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".partial-{target.name}")
    damaged = []
    with partial.open("wb") as writer:
        for piece in file.pieces:
            try:
                data = shelf.store.get(object_key(piece))
            except Absent:
                damaged.append(piece)
                continue
            if hashlib.sha256(data).hexdigest() != piece:
                damaged.append(piece)
                continue
            writer.write(data)
        writer.flush()
        os.fsync(writer.fileno())
    if damaged:
        partial.unlink()
        return damaged
    partial.chmod(file.mode)
    os.utime(partial, ns=(file.mtime_ns, file.mtime_ns))
    partial.rename(target)
    return []


def _pieces_of(path: Path, file: File) -> tuple[str, ...] | None:
    from ops_project.pipeline.recovery.backup.create import PIECE_BYTES

    if path.stat().st_size != file.size:
        return None
    pieces = []
    with path.open("rb") as reader:
        while data := reader.read(PIECE_BYTES):
            pieces.append(hashlib.sha256(data).hexdigest())
    return tuple(pieces)


def _warehouse(folder: Path, snapshot: str) -> None:
    source = folder / "snapshots" / snapshot / snapshots.DATABASE
    target = folder / "warehouse" / "warehouse.duckdb"
    target.parent.mkdir(exist_ok=True)
    if target.is_file():
        target.unlink()
    files.copy(source, target)
    # The warehouse must not be newer than its snapshot. Otherwise it would seem to contain later changes.
    stat = source.stat()
    target.chmod(stat.st_mode & 0o777)
    os.utime(target, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
