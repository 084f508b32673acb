"""What lies in the inbound folder for a feed. Looks at names and sizes; opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ops_project.model.feed import Feed


@dataclass(frozen=True)
class InboundFile:
    """A file of a feed that has not been archived."""

    path: Path
    business_date: date | None
    """The date in its name; None where the pattern has none."""
    part: str
    size: int
    modified_at: datetime
    identity: tuple[int, int, int, int]
    """Device, inode, size and change time: differs as soon as somebody writes to the file."""
    control: Path | None
    """Its control file, where the contract knows one and it is there."""
    waits: bool
    """True while a required control file is not there: the delivery is not complete."""

    @property
    def name(self) -> str:
        return self.path.name


def pending(feed: Feed, inbound: Path) -> list[InboundFile]:
    """The files of `feed` below `<inbound>/<domain>/`, by business date, time and name; not hidden ones."""
    folder = inbound / feed.domain
    if not folder.is_dir():
        return []
    found = []
    for path in folder.iterdir():
        named = None if path.name.startswith(".") else feed.match(path.name)
        if named is None:
            continue
        try:
            if not path.is_file():
                continue
            control, waits = control_of(feed, path)
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            found.append(
                InboundFile(path, named.date, named.part, path.stat().st_size, modified, identity(path), control, waits)
            )
        except FileNotFoundError:  # taken away between listing and looking: then it has not arrived
            continue
    return sorted(found, key=lambda file: (file.business_date or file.modified_at.date(), file.modified_at, file.name))


def identity(path: Path) -> tuple[int, int, int, int]:
    """What changes as soon as the file is written to or replaced."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def control_of(feed: Feed, path: Path) -> tuple[Path | None, bool]:
    """The control file of a data file where it is there, and whether the file must wait for it."""
    if feed.control is None:
        return None, False
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    control = path.with_name(feed.control.file.replace("{name}", path.name).replace("{stem}", stem))
    if control.is_file():
        return control, False
    return None, feed.control.required
