"""A file of the ledger or of Dagster's storage that is there and has nothing in it. SQLite takes it for a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ops_project.dagster_bridge.storage_errors import FILES
from ops_project.settings import Settings

NEXT = (
    "If it ever held anything, bring it back from a backup (`ops backup list`) before the next run, which begins a new "
    "one in its place."
)


def ledger(settings: Settings) -> str:
    """What it means that the ledger's file is empty, and the next step; empty if it is not."""
    file = Path(settings.ledger_url.removeprefix("sqlite:///"))
    if not settings.ledger_url.startswith("sqlite:///") or not _is_emptied(settings, file):
        return ""
    return f"The ledger {file} is an empty file: no alert, incident, silence or acknowledgement is in it. {NEXT}"


def dagster(settings: Settings) -> str:
    """What it means that a file of Dagster's storage is empty, and the next step; empty if none is."""
    found = [file for name in FILES if _is_emptied(settings, file := settings.dagster_home / name)]
    if not found:
        return ""
    return f"Dagster's storage {found[0]} is an empty file: the history of runs that it kept is not in it. {NEXT}"


def tell(settings: Settings, say: Callable[[str], None]) -> None:
    """Say which of the files are empty, before a new one is begun in them."""
    for words in (ledger(settings), dagster(settings)):
        if words:
            say(words)


def _is_emptied(settings: Settings, file: Path) -> bool:
    """Whether nothing is in the file although something was: its log has content, or the home has had a run.

    Before the first run its first maker may be at work. It writes into the file before it writes into the log, and
    SQLite deletes the log of an empty file when it opens it.
    """
    try:
        if file.stat().st_size or not file.is_file():
            return False
    except OSError:
        return False
    log = file.with_name(f"{file.name}-wal")
    if log.is_file() and log.stat().st_size:
        return True
    from ops_project.pipeline.warehouse import snapshots

    try:
        snapshots.newest(settings)
    except snapshots.NoSnapshot:
        return False
    return True
