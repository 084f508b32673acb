"""What the last restore set out to do and how far it came, so that one that was killed can be finished or dropped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

BEGUN, FINISHED, DONE = "begun", "finished", "done"
"""Finished: all is done, and the command has not said so yet. A person who repeats a call that was killed then cannot
know it. It must not be done twice: an undo that is undone brings back what it took away."""


@dataclass(frozen=True)
class Entry:
    """One restore. `tables` is empty where the whole warehouse is restored."""

    id: str
    source: str
    """The snapshot's id, or `undo of <id>`."""
    tables: tuple[str, ...]
    by: str
    at: str
    """ISO 8601, UTC."""
    state: str = BEGUN
    usable_before: bool = True
    """Whether there is a warehouse to go back to."""
    load_seq: int = 0
    """Of the restored warehouse."""
    checksums: tuple[tuple[str, str], ...] = ()
    """Of the restored tables."""
    downstream: tuple[str, ...] = ()
    asked: str = ""
    """The command's own words, by which a repeated one is known."""
    previous: dict[str, Any] | None = None
    """The entry before, until this restore is done: it can still be undone if this one does not happen."""

    @property
    def is_undo(self) -> bool:
        """Whether it took another one back."""
        return self.source.startswith("undo of ")

    @property
    def previous_id(self) -> str | None:
        """Of the entry before."""
        return self.previous["id"] if self.previous else None


def last(settings: Settings) -> Entry | None:
    """The newest entry; None where nothing was ever restored."""
    try:
        return _entry(json.loads(_file(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def kept(entry: Entry | None) -> dict[str, Any] | None:
    """An entry as the next one carries it, without what that one carried itself."""
    return None if entry is None else asdict(replace(entry, previous=None))


def take_back(settings: Settings, entry: Entry) -> None:
    """This restore changed nothing: the entry before holds again."""
    if entry.previous is not None:
        write(settings, _entry(entry.previous))
    else:
        _file(settings).unlink(missing_ok=True)


def write(settings: Settings, entry: Entry) -> None:
    """In place of the one before."""
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    files.write_json(_file(settings), asdict(entry))


def folder(settings: Settings, restore: str) -> Path:
    """Where a restore stages, and keeps what was there before: on the disk of the warehouse, so that a rename is one
    step."""
    return settings.warehouse.parent / "restores" / restore


def _entry(data: dict[str, Any]) -> Entry:
    lists = {name: tuple(data[name]) for name in ("tables", "downstream")}
    checksums = tuple((table, checksum) for table, checksum in data["checksums"])
    return Entry(**{**data, **lists, "checksums": checksums})


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "restore.json"
