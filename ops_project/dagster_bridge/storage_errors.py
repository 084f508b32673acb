"""Texts for a Dagster storage that cannot be used: what happened, where, and what to do next.

Every command that fails loads this module. So Dagster's code is imported only where it is needed, which is to read the
address of a PostgreSQL server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ops_project.causes import chain
from ops_project.dagster_bridge.storage_damage import damaged
from ops_project.failures import Unusable
from ops_project.settings import Settings

ERRORS = frozenset({"DBAPIError", "DagsterPostgresException"})
"""The names of the errors that a storage raises. The error has one of these classes, or a class derived from one."""
LONGEST = 300
"""The largest number of characters of Dagster's own text that is shown."""
_NEXT_OF_FILES = (
    "Bring it back from a backup (`ops backup list`), or move its .db files away: Dagster then begins with an empty "
    "history of runs."
)


class StorageUnusable(Unusable):
    """Dagster's storage cannot be used. The message says where it is, why, and what to do."""


class OutOfReach:
    """Stands in for Dagster's instance if its storage cannot be opened. Each use of it raises the error. Code that does
    not use the instance continues.
    """

    def __init__(self, error: StorageUnusable) -> None:
        self._error = error

    def __str__(self) -> str:
        return str(self._error)

    def __getattr__(self, name: str) -> Any:
        raise StorageUnusable(str(self._error))


def unusable(folder: Path, cause: str) -> str:
    """One line which says that the storage that `folder` configures cannot be used, why, and what to do next."""
    from ops_project.dagster_bridge.storage_place import storage_place

    where, next_step = f"in {folder}", _NEXT_OF_FILES
    if servers := storage_place(folder, Settings.secret).postgres:
        where = " and ".join(_shown(url) for url in servers)
        next_step = (
            "See whether the server runs and can be reached from here, and compare its address in "
            f"{folder / 'dagster.yaml'}."
        )
    return (
        f"Dagster's storage {where} could not be used: {cause.rstrip('.? ')}. No run can be started, seen or watched "
        f"until it can. {next_step} The data and the ledger of alerts are not touched."
    )


def misconfigured(folder: Path, error: BaseException) -> str:
    """One line which says that dagster.yaml cannot be used, why, and what to do next."""
    file = folder / "dagster.yaml"
    reason = " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())
    return (
        f"{file} cannot be used: {reason[:LONGEST].rstrip('. ')}. No run can be started, seen or watched until it can. "
        "Mend it, or move it away: the next run writes a new one. The data and the ledger of alerts are not touched."
    )


def storage_words(error: BaseException, folder: Path) -> str:
    """The text of `unusable` if the storage in `folder` caused the error; empty if something else caused it. If a file
    of the storage is damaged, the text names this file.
    """
    said = ""
    for one in chain(error):
        if isinstance(one, StorageUnusable):
            return str(one)
        if isinstance(one, Unusable):
            return ""  # Another store caused the error, and the error has a text of its own.
        if ERRORS & {cls.__name__ for cls in type(one).__mro__}:
            # The first cause says what happened. The outer errors only say that Dagster has tried often enough.
            said = " ".join(str(getattr(one, "orig", None) or one).split())
    return unusable(folder, damaged(folder) or said) if said else ""


def in_words(error: BaseException, folder: Path) -> str:
    """The text of a run's error. If the storage in `folder` caused it, this is the text of `unusable`."""
    return storage_words(error, folder) or str(error)


def _shown(url: str) -> str:
    """The URL without its password, and without the name of the driver, which the user did not write."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "in PostgreSQL, whose address cannot be read,"
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string(hide_password=True)
