"""Whether the warehouse was changed outside of any run: by hand, by a tool, by dbt alone, by a process that was killed.

No journal of dates tells of such a change, so a snapshot must then look at every row. Each writer notes, when it has
closed the file, what the file looks like; the next one compares. This module never opens the warehouse.
"""

from __future__ import annotations

import json
from pathlib import Path

from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings


def changed(settings: Settings) -> bool:
    """Whether somebody changed the warehouse unseen since the last snapshot; for the lock's holder, before it opens it.

    True as well where nothing was noted: in a home from before there were notes, and where the note cannot be read.
    """
    if not settings.warehouse.exists():
        return False
    try:
        noted = json.loads(_note(settings).read_text(encoding="utf-8"))
        return bool(noted["changed_unseen"] or noted["files"] != _files(settings))
    except (OSError, ValueError, KeyError, TypeError):
        return True


def note(settings: Settings, changed_unseen: bool) -> None:
    """Note what the closed file looks like, and whether a change that nobody journalled still awaits its snapshot.

    Where the note cannot be written, the old one no longer fits: the next snapshot then looks at every row.
    """
    if not settings.warehouse.exists():
        return
    try:
        _note(settings).parent.mkdir(parents=True, exist_ok=True)
        files.write_json(_note(settings), {"changed_unseen": changed_unseen, "files": _files(settings)})
    except OSError:
        return


def _files(settings: Settings) -> list[list[int]]:
    """Size and time of the file, and of the log that a killed process leaves beside it."""
    found = []
    for path in (settings.warehouse, settings.warehouse.with_name(f"{settings.warehouse.name}.wal")):
        if path.exists():
            stat = path.stat()
            found.append([stat.st_size, stat.st_mtime_ns])
    return found


def _note(settings: Settings) -> Path:
    return settings.home / "state" / "warehouse-left.json"
