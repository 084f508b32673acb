"""Marks tables as out of date. A table is out of date if one of its source tables was restored after the table was
built. The mark stays until the table is built anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

UNKNOWN = "unknown tables"
"""The only entry if the file of marks cannot be read. It stands for all tables."""


def marked(settings: Settings) -> dict[str, dict[str, str]]:
    """`schema.table` → `since` (ISO 8601, UTC) and `because`. If the file cannot be read, the only entry is UNKNOWN."""
    file = _file(settings)
    if not os.path.lexists(file):
        return {}
    try:
        found: dict[str, dict[str, str]] = read_object(file)
        for entry in found.values():
            if not entry["because"].strip() or not datetime.fromisoformat(entry["since"]):
                raise ValueError("it is not a mark")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        changed = datetime.fromtimestamp(file.lstat().st_mtime, UTC).isoformat(timespec="seconds")
        words = (
            f"{file} cannot be read: which tables were built from tables that were restored since is unknown. Build "
            "anew what is downstream of the restored tables, then remove the file."
        )
        return {UNKNOWN: {"since": changed, "because": words}}
    return found


def mark(settings: Settings, tables: Iterable[str], because: str, now: datetime) -> None:
    """Mark these tables. If a table is already marked, its first mark stays."""
    added = {table: {"since": now.isoformat(), "because": because} for table in tables}
    _write(settings, added | marked(settings))


def clear(settings: Settings, tables: Iterable[str]) -> None:
    """Remove the marks of these tables, because they were built anew."""
    before = marked(settings)
    after = {table: entry for table, entry in before.items() if table not in set(tables)}
    if after != before:
        _write(settings, after)


def _write(settings: Settings, entries: dict[str, dict[str, str]]) -> None:
    file = _file(settings)
    if not entries:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(file, entries)


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "out_of_date.json"
