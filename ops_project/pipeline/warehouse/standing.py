"""Checks, before anything is written, that the newest snapshot was taken of this warehouse.

An older copy, or the warehouse of another home, opens without an error. If the warehouse is missing, DuckDB would
create an empty one. A run on such a file would give consumers a fraction of their rows, and every check would pass. So
a run stops here. This module repairs nothing: a person decides which copy is the right one.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ops_project.failures import Unusable
from ops_project.json_file import read_object
from ops_project.pipeline.warehouse import files, identity, snapshots
from ops_project.process import locks
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.pipeline.warehouse.snapshots import Snapshot


class State(Enum):
    """The state of the warehouse."""

    SOUND = "sound"
    ABSENT = "absent"
    DAMAGED = "damaged"
    ANOTHER = "another"
    BEHIND = "behind"
    LOCKED = "locked"
    UNREADABLE = "unreadable"


class WarehouseUnusable(Unusable):
    """The warehouse may not be written to. `state` says why."""

    def __init__(self, state: State, words: str) -> None:
        super().__init__(words)
        self.state = state


def require(settings: Settings, connect: Callable[[], duckdb.DuckDBPyConnection], now: datetime) -> None:
    """Raises WarehouseUnusable unless the warehouse may be written to. The result is recorded for observers, except
    when another program has the warehouse open.

    `connect`: opens the warehouse. It is not called if the file is missing, because it would create the file.
    """
    try:
        _examine(settings, connect)
    except WarehouseUnusable as error:
        if error.state is not State.LOCKED:
            _note(settings, error, now)
        raise
    _note(settings, None, now)


def noted(settings: Settings) -> dict[str, Any] | None:
    """The problem that the last run found: `state`, `message` and `at` (ISO 8601, UTC). None if the last run found no
    problem. A note exists only if there was a problem. So a note that cannot be read counts as a problem too.
    """
    file = _notes(settings)
    if not os.path.lexists(file):
        return None
    try:
        found = read_object(file)
        datetime.fromisoformat(found["at"])
        if all(isinstance(found[name], str) for name in ("state", "message")):
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {
        "state": State.UNREADABLE.value,
        "message": f"{file} cannot be read: what the last run found wrong with the warehouse is unknown. Remove the "
        "file; the next run looks again.",
        "at": None,
    }


def seen(settings: Settings) -> dict[str, Any] | None:
    """The same as `noted`, but a missing warehouse is reported even if no run has noticed it yet. `at` is then None."""
    found = noted(settings)
    if found is None and (reason := absence(settings)) is not None:
        return {"state": State.ABSENT.value, "message": reason, "at": None}
    return found


def looked(settings: Settings) -> dict[str, Any] | None:
    """The present problem of the warehouse; None if there is none. If no process writes to the warehouse, it is opened
    read-only and examined. Otherwise the result is that of `seen`.
    """
    with locks.unheld(settings.lock) as is_free:
        if not is_free:
            return seen(settings)
        opened: list[duckdb.DuckDBPyConnection] = []

        def connect() -> duckdb.DuckDBPyConnection:
            opened.append(duckdb.connect(str(settings.warehouse), read_only=True))
            return opened[-1]

        try:
            _examine(settings, connect)
        except WarehouseUnusable as error:
            return {"state": error.state.value, "message": str(error), "at": None}
        finally:
            for connection in opened:
                connection.close()
    return None


def absence(settings: Settings) -> str | None:
    """Why the missing warehouse may not simply be created anew. None if it exists, or if it never held data."""
    if settings.warehouse.exists():
        return None
    kept = snapshots.existing(settings)
    if kept:
        return _words(settings, State.ABSENT, f"is gone, but there is {_of(kept[-1])}", kept[-1])
    if _holds_files(settings):
        return _words(
            settings,
            State.ABSENT,
            f"is gone, and no snapshot is left, but {settings.archive} holds files that were loaded into it",
            None,
        )
    return None


def _examine(settings: Settings, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
    if not settings.warehouse.exists():
        if (reason := absence(settings)) is not None:
            raise WarehouseUnusable(State.ABSENT, reason)
        return
    kept = snapshots.existing(settings)
    newest = kept[-1] if kept else None
    try:
        connection = connect()
        found, sequence = identity.read(connection), snapshots.load_sequence(connection)
    except duckdb.Error as error:
        text = str(error).splitlines()[0]
        if "lock" in text.lower():
            raise WarehouseUnusable(
                State.LOCKED,
                f"The warehouse {settings.warehouse} is open in another program ({text}). Close that program, then run "
                "again; `ops sql` reads a copy and never locks the warehouse.",
            ) from error
        words = _words(settings, State.DAMAGED, f"cannot be opened: {text}", newest)
        raise WarehouseUnusable(State.DAMAGED, words) from error
    if newest is None:
        return
    manifest = newest.manifest
    wanted = manifest.get("warehouse_id")
    if wanted is not None and (found is None or found.id != wanted):
        # A file without an id is older than this feature. It may be an old copy of this warehouse, or another
        # warehouse.
        state = State.BEHIND if found is None and sequence <= manifest.get("load_seq", 0) else State.ANOTHER
    elif sequence < manifest.get("load_seq", 0) or (
        found is not None and found.generation < manifest.get("generation", 0)
    ):
        state = State.BEHIND
    else:
        return
    what = {
        State.BEHIND: f"is older than {_of(newest)}: it ends at load {sequence}, not {manifest.get('load_seq', 0)}",
        State.ANOTHER: f"is not the one of which {_of(newest)} was taken",
    }[state]
    raise WarehouseUnusable(state, _words(settings, state, what, newest))


def _of(snapshot: Snapshot) -> str:
    load = snapshot.manifest.get("load_seq", 0)
    return f"snapshot {snapshot.id} (as of {snapshot.as_of:%Y-%m-%d %H:%M} UTC, load {load})"


def _words(settings: Settings, state: State, what: str, newest: Snapshot | None) -> str:
    ways = []
    if newest is not None:
        ways.append(
            f"bring the newest snapshot back: `ops --home {shlex.quote(str(settings.home))} restore --all --to "
            f"{newest.id}` shows the plan, and with --yes does it"
        )
    ways.append("bring a backup back, as the runbook warehouse-lost shows")
    ways.append(f"build it anew from {settings.archive}, as the runbook warehouse-lost shows")
    numbered = "; ".join(f"({number}) {way}" for number, way in enumerate(ways, start=1))
    accept = ""
    if state in (State.BEHIND, State.ANOTHER):
        accept = f" If this file is meant: move the newer snapshots out of {settings.snapshots}."
    return (
        f"The warehouse {settings.warehouse} {what}. Nothing was written, nothing is published, and readers and "
        f"consumers keep what they have. Ways back: {numbered}.{accept}"
    )


def _holds_files(settings: Settings) -> bool:
    if not settings.archive.is_dir():
        return False
    return any(path.is_file() for path in settings.archive.rglob("*"))


def _note(settings: Settings, error: WarehouseUnusable | None, now: datetime) -> None:
    file = _notes(settings)
    if error is None:
        file.unlink(missing_ok=True)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(file, {"state": error.state.value, "message": str(error), "at": now.isoformat()})
    except OSError:
        return  # The error itself says what is wrong.


def _notes(settings: Settings) -> Path:
    return settings.home / "state" / "warehouse.json"
