"""Records the purpose and the progress of the last restore, so that a killed restore can be finished or dropped."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ops_project.failures import Unusable
from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

BEGUN, FINISHED, DONE = "begun", "finished", "done"
"""Finished means that everything is done, but the command has not reported this yet. If the command is killed at this
point, its user may repeat it without knowing that the restore is done. The restore must not be done twice: a second
undo would bring back what the first undo removed.
"""


@dataclass(frozen=True)
class Entry:
    """One restore. `tables` is empty if the whole warehouse is restored."""

    id: str
    source: str
    """The snapshot's id, or `undo of <id>`."""
    tables: tuple[str, ...]
    by: str
    at: str
    """When the restore was asked for (ISO 8601, UTC)."""
    state: str = BEGUN
    usable_before: bool = True
    """Whether there is a warehouse to go back to."""
    load_seq: int = 0
    """The load sequence number of the restored warehouse."""
    checksums: tuple[tuple[str, str], ...] = ()
    """The checksums of the restored tables."""
    downstream: tuple[str, ...] = ()
    asked: str = ""
    """The words of the command. A repeated command is recognised by them."""
    previous: dict[str, Any] | None = None
    """The entry before this one. It is kept until this restore is done. If this restore does not happen, the earlier
    restore can still be undone.
    """

    @property
    def previous_id(self) -> str | None:
        """The id of the entry before this one."""
        return self.previous["id"] if self.previous else None


class JournalUnusable(Unusable):
    """The journal of restores cannot be read. The message says which file, why, and what to do."""


def last(settings: Settings) -> Entry | None:
    """The newest entry; None if nothing was ever restored. Raises JournalUnusable: a restore may have been cut off."""
    file = _file(settings)
    if not os.path.lexists(file):
        return None
    try:
        return _entry(read_object(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or "it is not an entry"
        raise JournalUnusable(
            f"The journal of restores {file} cannot be read: {reason}. It is unknown whether a restore was cut off. "
            "Bring "
            "the file back from a backup (`ops backup list`), or remove it: then the last restore can neither be "
            "finished nor undone."
        ) from None


def kept(entry: Entry | None) -> dict[str, Any] | None:
    """An entry in the form in which the next entry keeps it as `previous`. Its own `previous` is left out."""
    return None if entry is None else asdict(replace(entry, previous=None))


def take_back(settings: Settings, entry: Entry) -> None:
    """Make the entry before this one valid again, because this restore changed nothing."""
    if entry.previous is not None:
        write(settings, _entry(entry.previous))
    else:
        _file(settings).unlink(missing_ok=True)


def write(settings: Settings, entry: Entry) -> None:
    """Write the entry in place of the earlier one."""
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    files.write_json(_file(settings), asdict(entry))


def folder(settings: Settings, restore: str) -> Path:
    """The folder in which a restore stages its files and keeps the earlier ones. It is on the disk of the warehouse,
    so that a rename is one step.
    """
    return settings.warehouse.parent / "restores" / restore


def _entry(data: dict[str, Any]) -> Entry:
    lists = {name: tuple(data[name]) for name in ("tables", "downstream")}
    checksums = tuple((table, checksum) for table, checksum in data["checksums"])
    return Entry(**{**data, **lists, "checksums": checksums})


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "restore.json"
