"""Reports a file of the ledger or of Dagster's storage that exists and is empty. SQLite takes such a file for a new
database.
"""

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
    """Says what an empty file of the ledger means, and the next step. The text is empty if the file is not."""
    file = Path(settings.ledger_url.removeprefix("sqlite:///"))
    if not settings.ledger_url.startswith("sqlite:///") or not _is_emptied(settings, file):
        return ""
    return f"The ledger {file} is an empty file: no alert, incident, silence or acknowledgement is in it. {NEXT}"


def dagster(settings: Settings) -> str:
    """Says what an empty file of Dagster's storage means, and the next step. The text is empty if no such file is."""
    found = [file for name in FILES if _is_emptied(settings, file := settings.dagster_home / name)]
    if not found:
        return ""
    return f"Dagster's storage {found[0]} is an empty file: the history of runs that it kept is not in it. {NEXT}"


def tell(settings: Settings, say: Callable[[str], None]) -> None:
    """Warn about each empty file, before a new database is begun in it."""
    for words in (ledger(settings), dagster(settings)):
        if words:
            say(words)


def _is_emptied(settings: Settings, file: Path) -> bool:
    """Whether the file is empty although it had content: its log has content, or the home has had a run.

    Before the first run, another process may just be making the file. That process writes into the file before it
    writes into the log. SQLite deletes the log of an empty file when it opens the file.
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
