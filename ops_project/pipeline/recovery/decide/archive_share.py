"""Decides which archived files are compared with their hashes next.

Each night's share is an equal part of the archive. The files that were compared longest ago come first. So the whole
archive is compared within `NIGHTS` nights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

NIGHTS = 28
# To open a file costs about as much as to hash this many bytes. This number is added to the size of each file.
OPENING = 64 * 1024


@dataclass(frozen=True)
class ArchivedFile:
    """A file that landing has archived, with the facts from the journal."""

    path: str
    """The path below the archive, with slashes."""
    domain: str
    feed: str
    file_name: str
    business_date: date
    batch_id: str
    sha256: str
    size: int
    """The size in bytes."""
    landed_at: datetime
    """When the file was landed, with a time zone. Landing computed the hash of the file at that time, so this counts as
    the first comparison.
    """


def share(
    files: Iterable[ArchivedFile],
    verified: Mapping[str, datetime],
    damaged: Collection[str],
    nights: int = NIGHTS,
) -> list[ArchivedFile]:
    """The files to compare this night. The files that were compared longest ago come first. Files that are known to be
    damaged are always included.

    `verified`: path → when the file was last found intact.
    `damaged`: paths of damaged files.
    """
    known = sorted(files, key=lambda file: (_last(file, verified), file.path))
    part = sum(map(_weight, known)) / nights
    chosen, taken = [], 0
    for file in known:
        if file.path in damaged:
            chosen.append(file)
        elif taken < part:
            chosen.append(file)
            taken += _weight(file)
    return chosen


def oldest(files: Iterable[ArchivedFile], verified: Mapping[str, datetime]) -> datetime | None:
    """The earliest of the times at which the files were last compared; None if there is no file."""
    return min((_last(file, verified) for file in files), default=None)


def _last(file: ArchivedFile, verified: Mapping[str, datetime]) -> datetime:
    return max(file.landed_at, verified.get(file.path, file.landed_at))


def _weight(file: ArchivedFile) -> int:
    return file.size + OPENING
