"""Recognises a SQLite file that is empty or missing although it had content. SQLite takes such a file for a new one,
and the next writer would begin a database without a history.
"""

from __future__ import annotations

import time
from pathlib import Path

from ops_project.settings import Settings

NEXT = "Bring it back from a backup (`ops backup list`), or remove the empty file: then the next run begins a new one."
# A process that has just made the file writes its first page within milliseconds.
BEING_MADE_SECONDS = 0.5
_STEP_SECONDS = 0.05
_waited_for: dict[Path, int] = {}
"""Empty file → its time of change, for files that stayed empty while this process waited."""


def is_emptied(settings: Settings, file: Path) -> bool:
    """Whether the file is empty although it had content. The file had content if its log has content, or if the home
    has a warehouse or a snapshot.

    SQLite deletes the log of an empty file when the file is opened, so call this before the file is opened. In a home
    without a warehouse and without a snapshot, an empty file without a log counts as one that was only begun.
    """
    if not _is_empty(file):
        return False
    if not _had_content(settings, file):
        return False
    mark = file.stat().st_mtime_ns
    if _waited_for.get(file) == mark:
        return True
    until = time.monotonic() + BEING_MADE_SECONDS
    while time.monotonic() < until:
        time.sleep(_STEP_SECONDS)
        if not _is_empty(file):
            return False
    _waited_for[file] = mark
    return True


def is_gone(settings: Settings, file: Path) -> bool:
    """Whether the file is missing although it must have existed, because tables have been built in this home."""
    try:
        return not file.exists() and has_snapshot(settings)
    except (OSError, ValueError):
        return False


def _is_empty(file: Path) -> bool:
    try:
        return file.is_file() and not file.stat().st_size
    except (OSError, ValueError):
        return False


def _had_content(settings: Settings, file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    if log.is_file() and log.stat().st_size:
        return True
    return settings.warehouse.is_file() or has_snapshot(settings)


def has_snapshot(settings: Settings) -> bool:
    return any(settings.snapshots.glob("*/manifest.json"))
