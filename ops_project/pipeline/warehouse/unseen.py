"""Detects whether the warehouse was changed outside of any run: by hand, by a tool, by dbt alone, or by a process that
was killed. No journal records the dates of such a change, so the next snapshot must read every row.

When a writer has closed the file, it records the size and the time of the file. The next writer compares these with the
present ones. This module never opens the warehouse.
"""

from __future__ import annotations

from pathlib import Path

from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings


def changed(settings: Settings) -> bool:
    """Whether the warehouse was changed outside of runs since the last snapshot. The caller holds the lock, and has not
    opened the warehouse yet. The answer is also True if there is no note, or if the note cannot be read. It is False if
    there is no warehouse.
    """
    if not settings.warehouse.exists():
        return False
    try:
        noted = read_object(_note(settings))
        return bool(noted["changed_unseen"] or noted["files"] != _files(settings))
    except (OSError, ValueError, KeyError, TypeError):
        return True


def note(settings: Settings, changed_unseen: bool) -> None:
    """Record the size and the time of the closed file, and `changed_unseen`. If the note cannot be written, the old
    note no longer fits the file. So the next snapshot reads every row.

    `changed_unseen`: whether a change that no journal records is still without a snapshot.
    """
    if not settings.warehouse.exists():
        return
    try:
        _note(settings).parent.mkdir(parents=True, exist_ok=True)
        files.write_json(_note(settings), {"changed_unseen": changed_unseen, "files": _files(settings)})
    except OSError:
        return


def _files(settings: Settings) -> list[list[int]]:
    """The size and the time of the file, and of the log that a killed process leaves beside it."""
    found = []
    for path in (settings.warehouse, settings.warehouse.with_name(f"{settings.warehouse.name}.wal")):
        if path.exists():
            stat = path.stat()
            found.append([stat.st_size, stat.st_mtime_ns])
    return found


def _note(settings: Settings) -> Path:
    return settings.home / "state" / "warehouse-left.json"
