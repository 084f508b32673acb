"""Keeps a delivered file in the archive, read-only. The path contains its feed, date and hash.

The archive gets a hard link to the file. The file leaves the inbound folder as soon as every feed that matches it has
taken it. If the process is killed between these two steps, both names still exist, and the next run continues.

If a file has further names elsewhere, the archive gets a copy instead. Otherwise a process could change the archived
file under another name. The archive never gives any user more rights to a file than the file had when it came.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ops_project.pipeline.landing.inbox import open_regular

READERS = 0o444
PARTIAL = ".partial"
PORTION = 4 * 1024 * 1024
# The longest name of an archived file, in bytes. File systems allow 255 bytes, and the marks of an incomplete file (a
# leading dot and the suffix) must fit too.
LONGEST = 255 - len(f".{PARTIAL}")
KEPT_END = 24


def archive_path(archive: Path, *, domain: str, feed: str, day: date, sha256: str, name: str) -> Path:
    """The path of the file in the archive."""
    return archive / domain / feed / day.isoformat() / shortened(f"{sha256[:12]}_{name}")


def shortened(name: str) -> str:
    """The name. If it is too long, a hash of the whole name replaces its middle, so that different names stay
    different.
    """
    data = os.fsencode(name)
    if len(data) <= LONGEST:
        return name
    middle = f"~{hashlib.sha256(data).hexdigest()[:8]}~"
    begin, end = data[: LONGEST - KEPT_END - len(middle)], data[-KEPT_END:]
    return begin.decode("utf-8", "ignore") + middle + end.decode("utf-8", "ignore")


def keep(source: Path, target: Path) -> None:
    """Put the file `source` into the archive as `target`: as a hard link if possible, and as a copy otherwise. The
    target is always complete, or it does not exist.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and target.samefile(source):
        return
    working = target.with_name(f".{target.name}{PARTIAL}")
    working.unlink(missing_ok=True)
    mode = source.stat().st_mode & READERS | stat.S_IRUSR
    try:
        os.link(source, working)
        working.chmod(mode)
    except OSError:  # The file system has no links, or the file belongs to another user. So the file is copied.
        working.unlink(missing_ok=True)
        try:
            shutil.copy2(source, working)
            with working.open("rb") as file:
                os.fsync(file.fileno())
        except OSError:
            working.unlink(missing_ok=True)  # Half a copy would take the space that the next run needs.
            raise
        working.chmod(mode)
    working.replace(target)


def release(source: Path, controls: Iterable[Path] = ()) -> None:
    """Remove the names of an archived file, and of its control files, from the inbound folder."""
    for path in (source, *controls):
        path.unlink(missing_ok=True)


def is_same_delivery(source: Path, kept: Path | None) -> bool:
    """True if `kept` is this very file or the archive's copy of it. Another delivery with the same content does not
    count.
    """
    if kept is None or not kept.exists():
        return False
    a, b = source.lstat(), kept.stat()
    if os.path.samestat(a, b):
        return True
    # If the file had to be copied, the copy has the same modification time. A file is copied if it cannot be linked, or
    # if it has other names.
    copied = a.st_dev != b.st_dev or a.st_uid != b.st_uid or a.st_nlink > 1
    alike = b.st_nlink == 1 and a.st_mtime_ns == b.st_mtime_ns and a.st_size == b.st_size
    return copied and alike and _same_bytes(source, kept)


def _same_bytes(source: Path, kept: Path) -> bool:
    with open_regular(source) as one, kept.open("rb") as other:
        while data := one.read(PORTION):
            if data != other.read(len(data)):
                return False
        return not other.read(1)
