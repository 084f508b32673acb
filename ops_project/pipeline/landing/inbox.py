"""Lists the files of a feed in the inbound folder. The module looks at names, kinds and sizes. It opens a file only to
test whether a process is writing the file.

Only regular files in regular folders are deliveries. A symbolic link could name any file that this process may read. A
pipe, or a file that consists mostly of holes, would block a run. All of these are reported and left in place.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cmp_to_key
from pathlib import Path
from typing import BinaryIO

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.decide.revisions import RevisionOrder, compare_revisions
from ops_project.pipeline.landing.hollow import is_hollow

Identity = tuple[int, int, int, int]


# If files are copied one after the other, their times follow the order of their names. So times that lie this close
# together do not say which file is newer.
SAME_MOMENT = timedelta(minutes=1)
LINKED = "@"
"""The entry of a listing that means: the inbound folder is a symbolic link."""
LINKED_FOLDER = (
    "is a symbolic link, which is not followed: nothing in it is landed. Put a folder in its place; a folder of "
    "another disk can be mounted there"
)


@dataclass(frozen=True)
class InboundFile:
    """A file of a feed that has not been archived."""

    path: Path
    business_date: date | None
    """The date in the file's name; None if the pattern has no date."""
    part: str
    size: int
    modified_at: datetime
    identity: Identity
    """Device, inode, size and modification time. The value changes as soon as any process writes to the file."""
    control: Path | None
    """The control file of the data file, if the contract names one and it exists."""
    waits: bool
    """Whether a required control file is missing, so that the delivery is not complete."""
    revision: str = ""
    """The text of `{revision}` in the file's name."""

    @property
    def name(self) -> str:
        return _text(self.path.name)


@dataclass(frozen=True)
class Irregular:
    """An entry of the inbound folder that has the name of a file of the feed but cannot be landed. It is not a regular
    file, or nearly all of it consists of holes.
    """

    name: str
    business_date: date | None
    what: str
    """What the entry is, in words: a symbolic link, a folder, a pipe …"""


class NotRegular(OSError):
    """The entry with this name is not a regular file, or no longer a regular file."""


def pending(feed: Feed, inbound: Path) -> list[InboundFile]:
    """The files of `feed` below `<inbound>/<domain>/`, sorted by business date, time and name. Hidden files are left
    out.
    """
    found = []
    for path, kind in _entries(inbound / feed.domain):
        named = feed.match(path.name)
        if named is None or _irregular(path, kind):
            continue
        control, waits = control_of(feed, path)
        modified = datetime.fromtimestamp(kind.st_mtime, UTC)
        found.append(
            InboundFile(
                path=path,
                business_date=named.date,
                part=_text(named.part),
                size=kind.st_size,
                modified_at=modified,
                identity=_identity(kind),
                control=control,
                waits=waits,
                revision=_text(named.revision),
            )
        )
    return _in_order(found)


def _in_order(files: list[InboundFile]) -> list[InboundFile]:
    """The files by business date and time. If two files of one date and part have nearly the same time, the newer
    revision comes last.
    """
    slots: dict[tuple[date, str], list[InboundFile]] = {}
    for file in sorted(files, key=lambda file: (file.modified_at, file.name)):
        slots.setdefault((file.business_date or file.modified_at.date(), file.part), []).append(file)
    placed = sorted(slots.items(), key=lambda item: (item[0][0], item[1][0].modified_at, item[1][0].name))
    return [file for _, slot in placed for file in sorted(slot, key=cmp_to_key(_earlier))]


def _earlier(one: InboundFile, other: InboundFile) -> int:
    if abs(one.modified_at - other.modified_at) <= SAME_MOMENT:
        said = compare_revisions(one.revision, other.revision)
        if said in (RevisionOrder.OLDER, RevisionOrder.NEWER):
            return -1 if said is RevisionOrder.OLDER else 1
    return -1 if (one.modified_at, one.name) < (other.modified_at, other.name) else 1


def irregular(feed: Feed, inbound: Path) -> list[Irregular]:
    """The entries with a name of `feed` that cannot be landed, sorted by name. Each is not a regular file, or consists
    mostly of holes.
    """
    found = []
    for path, kind in _entries(inbound / feed.domain):
        what = _irregular(path, kind)
        if what and (named := feed.match(path.name)) is not None:
            found.append(Irregular(_text(path.name), named.date, what))
    return sorted(found, key=lambda item: item.name)


def unclaimed(feeds: Iterable[Feed], folder: Path) -> list[str]:
    """Names in a domain's inbound folder that no contract matches. The name of a control file is left out, even if its
    data file has not come yet.

    A mark follows some names: "/" a folder, "@" a link, "|" a pipe, a socket or a device. If the inbound folder itself
    is a link, its content is not listed, and the only entry is LINKED.
    """
    if folder.is_symlink():
        return [LINKED]
    marks = {path.name: _mark(kind.st_mode) for path, kind in _entries(folder)}
    known: set[str] = set()
    for feed in feeds:
        for name in marks:
            if feed.match(name) is not None or _is_control(feed, name):
                known.add(name)
    return sorted(_text(name) + marks[name] for name in marks.keys() - known)


def identity(path: Path) -> Identity:
    """A value that changes as soon as a process writes to the file or replaces it. For a symbolic link, this is the
    value of the link itself.
    """
    return _identity(path.lstat())


def is_being_written(path: Path) -> bool:
    """Whether a process has the file open for writing. The kernel gives no read lease on such a file. The answer is
    also False if the kernel cannot tell: the file belongs to another user, or the system has no leases.
    """
    with open_regular(path) as file, contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(
            file, fcntl.F_SETSIG, signal.SIGURG
        )  # Without this, SIGIO would end this process if another process opens the file meanwhile.
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def open_regular(path: Path) -> BinaryIO:
    """Open the file for reading, but never through a link. Raises NotRegular, or OSError if the file cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise NotRegular(error.errno, "not a regular file", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def _copy(path: Path, target: Path) -> None:
    try:
        _copy_bytes(path, target)
    except BaseException:
        # On a full disk, the record of this failure needs the space of the partial copy.
        target.unlink(missing_ok=True)
        raise


def _copy_bytes(path: Path, target: Path) -> None:
    with open_regular(path) as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy, 4 * 1024 * 1024)
        copy.flush()
        times = os.fstat(source.fileno())
        os.fchmod(copy.fileno(), stat.S_IMODE(times.st_mode) | stat.S_IRUSR)
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def private_name(path: Path, folder: Path, kept: Callable[[], int] = lambda: 0) -> Path:
    """The file under a private name in `folder`, so that no other process can replace the file in the meantime. The
    private name is a hard link if the file system and the owner allow that, and a copy otherwise. The last part of the
    path stays the same. Raises NotRegular.

    `kept`: gives the number of names that the file already has in the archive.

    If the file has any further name, the file is copied. Otherwise a process that writes to the file under that name
    would change the archived file.
    """
    target = folder / path.name
    target.unlink(missing_ok=True)
    try:
        os.link(path, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOSPC, errno.EDQUOT):
            raise
        _copy(path, target)
        return target
    kind = target.lstat()
    if not stat.S_ISREG(kind.st_mode) or is_hollow(target, kind.st_size, kind.st_blocks):
        target.unlink()
        raise NotRegular(errno.EINVAL, "not a regular file", str(path))
    if kind.st_nlink > 2 and kind.st_nlink > 2 + kept():
        target.unlink()
        _copy(path, target)
    return target


def control_of(feed: Feed, path: Path) -> tuple[Path | None, bool]:
    """The control file of a data file, if it exists, and whether the data file must wait for it."""
    control = control_path(feed, path)
    if feed.control is None or control is None:
        return None, False
    with contextlib.suppress(OSError):
        if stat.S_ISREG(control.lstat().st_mode):
            return control, False
    return None, feed.control.required


def control_path(feed: Feed, path: Path) -> Path | None:
    """Where the control file of a data file must lie. None if the contract names no control file."""
    if feed.control is None:
        return None
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    return path.with_name(feed.control.file.replace("{name}", path.name).replace("{stem}", stem))


def _is_control(feed: Feed, name: str) -> bool:
    """Whether `name` can be the control file of a file of the feed. The data file need not exist."""
    if feed.control is None:
        return False
    for place in ("{name}", "{stem}"):
        before, found, after = feed.control.file.partition(place)
        if not found or not (name.startswith(before) and name.endswith(after)):
            continue
        data = name[len(before) : len(name) - len(after)]
        if not data:
            continue
        # `{stem}` is a name without its ending. So the endings of the feed's own patterns are tried.
        endings = [""] if place == "{name}" else ["", *(_ending(text) for text in feed.inbound)]
        if any(feed.match(f"{data}{ending}{packed}") is not None for ending in endings for packed in ("", ".gz")):
            return True
    return False


def _ending(pattern: str) -> str:
    """The ending, such as `.csv`, that is removed from a file name to get its stem."""
    before, dot, ending = pattern.removesuffix(".gz").rpartition(".")
    return dot + ending if before else ""


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The entries of a folder with their kinds, without hidden names. No link is followed. A folder that is itself a
    link gives no entries.
    """
    if folder.is_symlink():
        return
    try:
        listing = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with listing:
        for entry in listing:
            if entry.name.startswith("."):
                continue
            # A file that was removed after it was listed counts as not arrived.
            with contextlib.suppress(FileNotFoundError):
                yield folder / entry.name, entry.stat(follow_symlinks=False)


def _identity(kind: os.stat_result) -> Identity:
    return kind.st_dev, kind.st_ino, kind.st_size, kind.st_mtime_ns


def _irregular(path: Path, status: os.stat_result) -> str:
    """What the entry is, if it is not a file that can be read to its end. Empty if it is such a file."""
    if not stat.S_ISREG(status.st_mode):
        return _kind(status.st_mode)
    if is_hollow(path, status.st_size, status.st_blocks):
        return f"a file that claims {status.st_size:,} bytes and has nearly none of them: the rest is holes"
    return ""


def _kind(mode: int) -> str:
    for test, words in (
        (stat.S_ISLNK, "a symbolic link, which is not followed"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return words
    return "a device"


def _mark(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return "/" if stat.S_ISDIR(mode) else "@" if stat.S_ISLNK(mode) else "|"


def _text(name: str) -> str:
    """A name as text that every database accepts. Bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
