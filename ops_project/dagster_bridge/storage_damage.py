"""Finds damage in the SQLite files of Dagster's storage, without Dagster.

If a file is empty or gone, Dagster begins a new database in its place, without a message. If a file is damaged, Dagster
reads it until it meets the damaged page. So these files are checked before Dagster opens them.
"""

from __future__ import annotations

import time
from pathlib import Path

from ops_project.process.emptied import has_snapshot, is_emptied
from ops_project.process.sqlite_check import quick_check
from ops_project.settings import Settings

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
MAGIC = b"SQLite format 3\0"
HEADER = 100
LONGEST_SECONDS = 2.0
"""The time limit for the check of all pages. The check of 8 MB takes 10 ms."""
_whole: dict[Path, tuple[tuple[int, int], ...]] = {}
"""File → size and time of change of the file and of its log, at the moment at which the file was last found whole."""


def damaged(folder: Path, seconds: float = LONGEST_SECONDS) -> str:
    """Names the first SQLite file of the storage in `folder` that is damaged, and the reason. Empty if none is damaged.
    A file that is not checked within `seconds` counts as whole.
    """
    until = time.monotonic() + seconds
    for name in FILES:
        file = folder / name
        if reason := _header(file) or _pages(file, until):
            return reason
    return ""


def _header(file: Path) -> str:
    """Why the file is not a database, or not a whole one. Empty if it looks like a whole database. Also empty if the
    file is empty or missing.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            head = opened.read(HEADER)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{file}: {error.strerror or error}"
    if not size:
        return ""  # SQLite begins a new database in an empty file.
    if head[: len(MAGIC)] != MAGIC or len(head) < HEADER:
        return f"{file} is not a database"
    page = int.from_bytes(head[16:18], "big")
    expected = (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    # The count of pages is valid only if these two numbers are equal. If they differ, the last writer was an old
    # version of SQLite, which does not update the count.
    if head[24:28] == head[92:96] and size < expected and not _has_log(file):
        return f"{file} has been cut off: {size:,} bytes of {expected:,}"
    return ""


def _pages(file: Path, until: float) -> str:
    """The damage that SQLite's own check finds. Empty if it finds none or cannot decide."""
    state = _state(file)
    if not state or _whole.get(file) == state:
        return ""
    found = quick_check(file, until)
    if found == "":
        _whole[file] = state
    return f"{file} is damaged: {found}" if found else ""


def _state(file: Path) -> tuple[tuple[int, int], ...]:
    found = []
    for one in (file, file.with_name(f"{file.name}-wal")):
        try:
            status = one.stat()
        except OSError:
            continue
        found.append((status.st_size, status.st_mtime_ns))
    return tuple(found) if file.is_file() and file.stat().st_size else ()


def lost_storage(settings: Settings) -> str:
    """A sentence with the next step if a file of the storage was emptied or is gone. Empty if all files are there.
    Dagster gives no message: it begins a new file in the place of the old one.
    """
    folder = settings.dagster_home
    next_step = (
        "Bring it back from a backup (`ops backup list`) before the next run, which begins a new one in its place."
    )
    found = next((file for name in FILES if is_emptied(settings, file := folder / name)), None)
    if found is not None:
        return (
            f"Dagster's storage {found} is an empty file: the history of runs that it kept is not in it any more. "
            f"{next_step}"
        )
    gone = _gone(settings)
    if gone is not None:
        return (
            f"Dagster's storage {gone} is not there, although its other files are: the history of runs that it kept is "
            f"unknown. {next_step}"
        )
    return ""


def _gone(settings: Settings) -> Path | None:
    """A file that is missing from a storage that has been used.

    None in these cases:

    - No file is missing.
    - All files are missing, because a person has moved them away.
    - The home has no snapshot.
    - A part of the storage is elsewhere.
    """
    files = [settings.dagster_home / name for name in FILES]
    try:
        missing = [file for file in files if not file.exists()]
        if not 0 < len(missing) < len(files) or not has_snapshot(settings):
            return None
    except OSError:
        return None
    # The import is here, because the module reads YAML, which few commands need.
    from ops_project.dagster_bridge.storage_place import is_in_folder

    return missing[0] if is_in_folder(settings.dagster_home, Settings.secret) else None


def _has_log(file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    return log.is_file() and log.stat().st_size > 0
