"""A small disk of its own for a test, which can be filled: the kernel refuses to write, as it does on a full one."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILLER = "filler"
BLOCK = 64 * 1024


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of `size` bytes mounted at `folder`. Skips the test where this user may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here, so there is no disk that can be filled")
    if made.returncode:
        pytest.skip(f"a disk that can be filled cannot be mounted by this user: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        # The disk is unmounted lazily, because a process that was just killed may still be closing its files.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> None:
    """Take all room on the disk but `leave` bytes."""
    descriptor = os.open(folder / FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (BLOCK, 1024):
            try:
                while True:
                    os.write(descriptor, b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        if leave:
            os.ftruncate(descriptor, max(0, os.fstat(descriptor).st_size - leave))
    finally:
        os.close(descriptor)


def free(folder: Path) -> None:
    """Free the space that was filled."""
    (folder / FILLER).unlink(missing_ok=True)
