"""Which tables were built from tables that were restored since. They count as out of date until they are built anew."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings


def marked(settings: Settings) -> dict[str, dict[str, str]]:
    """`schema.table` → `since` (ISO 8601, UTC) and `because`."""
    try:
        found = json.loads(_file(settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def mark(settings: Settings, tables: Iterable[str], because: str, now: datetime) -> None:
    """Mark these tables. A table that is marked already keeps its first mark."""
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
