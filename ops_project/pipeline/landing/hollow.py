"""Detects files that claim far more bytes than are stored. The missing bytes are holes, which are read as zero bytes. A
file of 300 GB may be one page on the disk. Such a file costs its sender nothing, but reading it takes hours.
"""

from __future__ import annotations

import os
from pathlib import Path

# A file below this size never counts as hollow. Above it, a file is hollow if it claims more than RATIO bytes for each
# stored byte. The same bounds hold for compressed files.
FROM_BYTES = 64 * 1024 * 1024
RATIO = 200
BLOCK = 512
EXTENTS = 1_000
"""At most this many pieces of data are counted. A file with more pieces counts as a file without large holes."""


def is_hollow(path: Path, size: int, blocks: int) -> bool:
    """Whether nearly all of a regular file consists of holes. The content is not read.

    `size`, `blocks`: from the status of the file.

    The number of blocks alone does not decide, because some file systems compress files, or do not count blocks.
    """
    if size < FROM_BYTES or size <= RATIO * blocks * BLOCK:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False  # The code that opens the file for reading reports why it cannot be read.
    try:
        return _stored(descriptor) * RATIO < size
    finally:
        os.close(descriptor)


def _stored(descriptor: int) -> float:
    """The bytes of the file that are not holes."""
    end = os.fstat(descriptor).st_size
    found = at = 0
    for _ in range(EXTENTS):
        try:
            begin = os.lseek(descriptor, at, os.SEEK_DATA)
            at = os.lseek(descriptor, begin, os.SEEK_HOLE)
        except OSError:
            return found  # There is no more data, or the system cannot find holes.
        found += at - begin
        if at >= end:
            return found
    return float("inf")
