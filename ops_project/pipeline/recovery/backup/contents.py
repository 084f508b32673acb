"""Chooses the files of a home that a backup contains, and keeps them unchanged while they are read. The caller holds
the writer's lock, and can release it before anything is sent.

- A file that may be removed later gets a second name (a hard link).
- A file that may be changed later is copied to a separate folder. SQLite files are copied by SQLite's online backup.
- A file that is never changed or removed is read where it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ops_project.pipeline.recovery.backup.manifest import PLAIN, SQLITE, DatabaseCopy, SqliteTable
from ops_project.pipeline.recovery.databases import copies
from ops_project.pipeline.recovery.databases.connect import Database, DatabaseUnusable
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside
from ops_project.pipeline.warehouse import files, snapshots
from ops_project.settings import Settings
from ops_project.sql_text import identifier

# These entries are not backed up, because they are made anew or not needed. The warehouse itself is not needed, because
# the snapshot is a copy of it.
NOT_TAKEN = frozenset({"warehouse", "snapshots", "logs", "writer.lock", "backup.lock"})
# Files in these folders never change after they get their name. They may be removed, so a backup gives them a second
# name.
IMMUTABLE = frozenset({"snapshots", "published"})
# Files in these folders are neither changed nor removed, so they are read where they are.
KEPT = frozenset({"archive"})
# The folder of a backup that holds the copies of databases. A restore does not move names that begin with a dot into
# the home, so this folder does not get there.
DATABASES = ".databases"
SQLITE_MAGIC = b"SQLite format 3\0"
SQLITE_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Part:
    """One file of a backup."""

    path: str
    """The path in the home."""
    source: Path
    """The file that is read: the file of the home itself, or a link or copy of it."""
    kind: str
    """SQLITE for an SQLite file, and PLAIN for any other file."""
    immutable: bool
    """Whether the file never changes after it gets its name."""


@dataclass
class Contents:
    """The parts of a home."""

    parts: list[Part] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    sqlite: dict[str, dict[str, SqliteTable]] = field(default_factory=dict)
    databases: dict[str, DatabaseCopy] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def stage(
    settings: Settings, folder: Path, snapshot: snapshots.Snapshot | None, outside: Outside = NOTHING
) -> Contents:
    """Collect everything in the home that a backup contains.

    `folder`: must be empty. Files that may change or be removed before they are sent are kept here.
    """
    found = Contents(elsewhere=[*outside.missed])
    for database in outside.databases.values():
        _copy_database(found, database, folder)
    roots = [path for path in sorted(settings.home.iterdir()) if _is_taken(path)]
    if snapshot is not None:
        roots.append(snapshot.folder)
    for root in roots:
        for path in _walk(root):
            name = path.relative_to(settings.home).as_posix()
            if path.is_symlink():
                found.links[name] = str(path.readlink())
            elif path.is_dir():
                found.folders.append(name)
            elif path.is_file():
                _take(found, path, name, folder / name)
    return found


def sqlite_tables(file: Path) -> dict[str, SqliteTable]:
    """Table → its number of rows and its checksum. The checksum depends on the order of the rows. Raises sqlite3.Error
    if the file is damaged.
    """
    found = {}
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = bytes
        [(verdict,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != b"ok":
            raise sqlite3.DatabaseError(verdict.decode(errors="replace"))
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (raw,) in names:
            name, digest, rows = raw.decode(), hashlib.sha256(), 0
            for row in connection.execute(f"SELECT * FROM {identifier(name)}"):
                digest.update(repr(row).encode())
                rows += 1
            found[name] = SqliteTable(rows, digest.hexdigest()[:32])
    return found


def _is_taken(path: Path) -> bool:
    return path.name not in NOT_TAKEN and not path.name.startswith(".")


def _walk(root: Path) -> Iterator[Path]:
    if root.is_symlink() or not root.is_dir():
        yield root
        return
    for folder, names, leaves in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(snapshots.PARTIAL))
        for name in [*names]:
            if (Path(folder) / name).is_symlink():
                names.remove(name)
                leaves.append(name)
        yield Path(folder)
        for leaf in sorted(leaves):
            yield Path(folder) / leaf


def _take(found: Contents, path: Path, name: str, staged: Path) -> None:
    top = name.partition("/")[0]
    if name.endswith(SQLITE_BESIDE) and _is_sqlite(path.with_name(path.name.rpartition("-")[0])):
        return  # The online backup contains the content of this file.
    try:
        if top in KEPT:
            found.parts.append(Part(name, path, PLAIN, immutable=True))
            return
        staged.parent.mkdir(parents=True, exist_ok=True)
        if top in IMMUTABLE:
            files.link(path, staged)
            found.parts.append(Part(name, staged, PLAIN, immutable=True))
        elif _is_sqlite(path):
            _copy_sqlite(path, staged)
            found.sqlite[name] = sqlite_tables(staged)
            found.parts.append(Part(name, staged, SQLITE, immutable=False))
        else:
            shutil.copy2(path, staged)
            found.parts.append(Part(name, staged, PLAIN, immutable=False))
    except FileNotFoundError:
        return  # Another process has just removed the file, which it may do.
    except (OSError, sqlite3.Error) as error:
        found.unreadable.append(f"{name} ({error})")


def _copy_database(found: Contents, database: Database, folder: Path) -> None:
    place = folder / DATABASES / database.name
    place.mkdir(parents=True)
    try:
        tables = copies.dump(database, place)
    except DatabaseUnusable as error:
        found.elsewhere.append(str(error))
        return
    found.databases[database.name] = DatabaseCopy(database.what, tables)
    found.parts += [
        Part(file.relative_to(folder).as_posix(), file, PLAIN, immutable=False) for file in sorted(place.iterdir())
    ]


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=30)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
        # The copy must be a single file. A process that opens it later makes its own write-ahead log.
        writer.execute("PRAGMA journal_mode = DELETE")
    stat = source.stat()
    target.chmod(stat.st_mode & 0o777)
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as reader:
            return reader.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError:
        return False
