"""Records the purpose and the state of the last restore, so that a restore that was killed can be finished or
discarded.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ops_project.failures import Unusable
from ops_project.json_file import read_record, record
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

BEGUN, FINISHED, DONE = "begun", "finished", "done"
"""FINISHED means that everything is done, but the command has not reported this yet. If the command is killed at this
point, its user may repeat the command without knowing that the restore is done. Then the restore must not be done
twice: a second undo would bring back what the first undo removed.
"""


@dataclass(frozen=True)
class Entry:
    """One restore. `tables` is empty if the whole warehouse is restored."""

    id: str
    source: str
    """`snapshot <id>`, or `undo of <id>` with the id of a restore."""
    tables: tuple[str, ...]
    by: str
    at: str
    """When the restore was asked for (ISO 8601, UTC)."""
    state: str = BEGUN
    usable_before: bool = True
    """Whether the warehouse before the restore can be opened. If not, the restore cannot be undone."""
    load_seq: int = 0
    """The load sequence number of the restored warehouse."""
    checksums: tuple[tuple[str, str], ...] = ()
    """The checksums of the restored tables."""
    downstream: tuple[str, ...] = ()
    asked: str = ""
    """The words of the command, by which a repeated command is recognised."""
    previous: dict[str, Any] | None = None
    """The entry before this one. It is kept until this restore is done. If this restore does not happen, the earlier
    one can still be undone.
    """

    @property
    def previous_id(self) -> str | None:
        """The id of the entry before this one."""
        return self.previous["id"] if self.previous else None


class JournalUnusable(Unusable):
    """The journal of restores cannot be read. The message says which file, why, and what to do."""


def last(settings: Settings) -> Entry | None:
    """The newest entry; None if nothing was ever restored. Raises JournalUnusable if the file cannot be read, because
    it may describe an unfinished restore.
    """
    file = _file(settings)
    if not os.path.lexists(file):
        return None
    try:
        return read_record(file, Entry)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not an entry"
        raise JournalUnusable(
            f"The journal of restores {file} cannot be read: {reason}. It is unknown whether a restore was cut off. "
            "Bring "
            "the file back from a backup (`ops backup list`), or remove it: then the last restore can neither be "
            "finished nor undone."
        ) from None


def kept(entry: Entry | None) -> dict[str, Any] | None:
    """An entry in the form in which the next entry stores it as `previous`. The `previous` of this entry itself is left
    out.
    """
    return None if entry is None else asdict(replace(entry, previous=None))


def take_back(settings: Settings, entry: Entry) -> None:
    """Make the previous entry valid again, because this restore changed nothing."""
    if entry.previous is not None:
        write(settings, record(entry.previous, Entry))
    else:
        _file(settings).unlink(missing_ok=True)


def write(settings: Settings, entry: Entry) -> None:
    """Write this entry in place of the earlier one."""
    _file(settings).parent.mkdir(parents=True, exist_ok=True)
    files.write_json(_file(settings), asdict(entry))


def folder(settings: Settings, restore: str) -> Path:
    """The folder in which a restore prepares its files and keeps the earlier ones. It is on the same disk as the
    warehouse, so that a file can be moved by one rename.
    """
    return settings.warehouse.parent / "restores" / restore


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "restore.json"
