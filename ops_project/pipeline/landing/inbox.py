"""What lies in the inbound folder for a feed. Looks at names and sizes; opens nothing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ops_project.model.feed.feed import Feed


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
        return _text(self.path.name)


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
                InboundFile(
                    path, named.date, _text(named.part), path.stat().st_size, modified, identity(path), control, waits
                )
            )
        except FileNotFoundError:  # taken away between listing and looking: then it has not arrived
            continue
    return sorted(found, key=lambda file: (file.business_date or file.modified_at.date(), file.modified_at, file.name))


def unclaimed(feeds: Iterable[Feed], folder: Path) -> list[str]:
    """Names of the files in a domain's inbound folder that no contract takes, and that are no control file of one."""
    if not folder.is_dir():
        return []
    names = {path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")}
    known: set[str] = set()
    for feed in feeds:
        for name in names:
            if feed.match(name) is not None:
                control, _ = control_of(feed, folder / name)
                known |= {name} | ({control.name} if control is not None else set())
    return sorted(_text(name) for name in names - known)


def identity(path: Path) -> tuple[int, int, int, int]:
    """What changes as soon as the file is written to or replaced."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def is_being_written(path: Path) -> bool:
    """True where a process has the file open for writing: the kernel gives no read lease then.

    False also where that cannot be told: another owner's file, a file system or system without leases.
    """
    with path.open("rb") as file, contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # who opens it meanwhile must not end us by SIGIO
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _text(name: str) -> str:
    """A name as text that every store takes; bytes that are no UTF-8 are written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def control_of(feed: Feed, path: Path) -> tuple[Path | None, bool]:
    """The control file of a data file where it is there, and whether the file must wait for it."""
    if feed.control is None:
        return None, False
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    control = path.with_name(feed.control.file.replace("{name}", path.name).replace("{stem}", stem))
    if control.is_file():
        return control, False
    return None, feed.control.required
