"""The manifest of a backup: the description of its content in the store. The manifest is written last. Without it, the
backup does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ops_project.pipeline.recovery.databases.copies import TableCopy
from ops_project.pipeline.recovery.decide.backups import Backup
from ops_project.pipeline.recovery.decide.target import RestoreError

FORMAT = 2
"""The version of the format. Version 2 added copies of databases. Earlier versions can still be read."""
PLAIN, SQLITE = "plain", "sqlite"


@dataclass(frozen=True)
class File:
    """One file of the home.

    `pieces`: the SHA-256 of each part of its bytes, in order.
    """

    path: str
    """The path relative to the home, with slashes."""
    size: int
    mode: int
    mtime_ns: int
    pieces: tuple[str, ...]
    kind: str = PLAIN


@dataclass(frozen=True)
class SqliteTable:
    """The content of a table of an SQLite file when the backup was taken."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class DatabaseCopy:
    """The copy of a database, as it was when the backup was taken."""

    what: str
    """The name for people, for example "the ledger"."""
    tables: Mapping[str, TableCopy]


@dataclass(frozen=True)
class Manifest:
    """Everything that is needed to rebuild the home."""

    id: str
    at: datetime
    by: str
    home: str
    """The identity of the home."""
    commit: str
    engine: str
    """The version of DuckDB. Another version may compute other checksums."""
    snapshot: str | None
    """The id of the snapshot in the backup. A restore makes the warehouse from it."""
    load_seq: int
    as_of: datetime | None
    good: bool
    files: tuple[File, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links: path → its target."""
    folders: tuple[str, ...] = ()
    """All folders, including empty ones. An external system may need such a folder without the right to create it."""
    sqlite: Mapping[str, Mapping[str, SqliteTable]] = field(default_factory=dict)
    """Path → table → its content."""
    databases: Mapping[str, DatabaseCopy] = field(default_factory=dict)
    """Name → the copy of a part of the home that was in a PostgreSQL. Its files are below `.databases/NAME`."""
    elsewhere: tuple[str, ...] = ()
    """Parts outside the home folder that the backup should contain and does not, in words."""
    left_to_others: tuple[str, ...] = ()
    """Parts outside the home folder that another system backs up, in words."""
    unreadable: tuple[str, ...] = ()
    """Parts that could not be read, in words."""
    new_bytes: int = 0

    def pieces(self) -> Iterator[str]:
        """Every object that the backup needs."""
        for file in self.files:
            yield from file.pieces

    def summary(self) -> Backup:
        """The summary that a list of backups shows."""
        return Backup(
            id=self.id,
            at=self.at,
            as_of=self.as_of,
            files=len(self.files),
            size_bytes=sum(file.size for file in self.files),
            new_bytes=self.new_bytes,
            left_out=(*self.elsewhere, *self.unreadable, *self.left_to_others),
            good=self.good,
        )

    def dump(self) -> bytes:
        """The manifest as JSON."""
        return _dumped({"format": FORMAT, **asdict(self)})

    @classmethod
    def load(cls, data: bytes, where: str) -> Manifest:
        """The manifest in `data`. Raises RestoreError if the bytes are not a manifest, or if a later version of this
        program wrote them.

        `where`: the place of the manifest, for messages.
        """
        try:
            found: dict[str, Any] = json.loads(data)
            if found.pop("format") > FORMAT:
                raise RestoreError(f"{where} was written by a later version of this program: restore with that version")
            return cls(
                **{
                    **found,
                    "at": datetime.fromisoformat(found["at"]),
                    "as_of": _moment(found["as_of"]),
                    "files": tuple(File(**{**item, "pieces": tuple(item["pieces"])}) for item in found["files"]),
                    "sqlite": {
                        path: {name: SqliteTable(**table) for name, table in tables.items()}
                        for path, tables in found["sqlite"].items()
                    },
                    "databases": {
                        name: DatabaseCopy(
                            item["what"], {table: TableCopy(**said) for table, said in item["tables"].items()}
                        )
                        for name, item in found.get("databases", {}).items()
                    },
                    "folders": tuple(found.get("folders", ())),
                    "left_to_others": tuple(found.get("left_to_others", ())),
                    "elsewhere": tuple(found["elsewhere"]),
                    "unreadable": tuple(found["unreadable"]),
                }
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RestoreError(f"{where} cannot be read as a manifest: {error}") from error


def dump_summary(backup: Backup) -> bytes:
    """A summary as JSON."""
    return _dumped(asdict(backup))


def load_summary(data: bytes) -> Backup:
    """A summary from JSON. Raises ValueError, KeyError or TypeError if the JSON is not a summary."""
    found = json.loads(data)
    at, as_of = datetime.fromisoformat(found["at"]), _moment(found["as_of"])
    return Backup(**{**found, "at": at, "as_of": as_of, "left_out": tuple(found["left_out"])})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _dumped(data: dict[str, Any]) -> bytes:
    return json.dumps(data, default=str, sort_keys=True).encode() + b"\n"
