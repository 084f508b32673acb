"""Writes files that appear completely or not at all. Copies cost nothing if the file system can share blocks between
files.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The ioctl number `_IOW(0x94, 9, int)`: share the blocks of another file. It works on btrfs, XFS, ZFS and bcachefs, and
# on an overlay on one of these.
_FICLONE = 0x40049409


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(file: Path) -> None:
    """Make the content of `file` survive a power cut."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(source: Path, target: Path) -> str:
    """Copy a file to which no process writes. Returns `reflink` (the files share their blocks) or `copy`. When the call
    returns, the copy is on the disk.
    """
    with source.open("rb") as reader, target.open("xb") as writer:
        how = "reflink"
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            how = "copy"
            _copy_range(reader.fileno(), writer.fileno())
        os.fsync(writer.fileno())
    return how


def _copy_range(source: int, target: int) -> None:
    left = os.fstat(source).st_size
    try:
        while left:
            done = os.copy_file_range(source, target, left)
            if not done:
                break
            left -= done
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
            raise
        os.lseek(source, 0, os.SEEK_SET)
        os.lseek(target, 0, os.SEEK_SET)
        with os.fdopen(os.dup(source), "rb") as reader, os.fdopen(os.dup(target), "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)


def link(source: Path, target: Path) -> None:
    """Give a file that never changes a second name. If the file system has no hard links, the file is copied."""
    try:
        os.link(source, target)
    except OSError:
        copy(source, target)


def write_json(path: Path, data: Any) -> None:
    """Write `path` in one step. A reader sees the old or the new text and nothing else, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as writer:
            json.dump(data, writer, indent=2, default=str, sort_keys=True)
            writer.write("\n")
            writer.flush()
            os.fsync(writer.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def whole(partial: Path, folder: Path) -> Iterator[None]:
    """Fill the new folder `partial` within this context. At the end, `partial` is renamed to `folder`, so that `folder`
    is complete or does not exist. After an error, `partial` is removed. On a full disk, it would take the space that
    the next attempt needs.
    """
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def point(pointer: Path, target: str) -> None:
    """Let the symbolic link `pointer` point to `target` in the same folder, in one step."""
    temporary = pointer.with_name(f".{pointer.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.rename(pointer)
    sync_folder(pointer.parent)
