"""Words for a storage of Dagster that cannot be used, and a look at its files without opening them.

Nothing here imports Dagster: every command that fails needs these words at once.
"""

from __future__ import annotations

from pathlib import Path

from ops_project.causes import chain
from ops_project.failures import Unusable
from ops_project.process.emptied import is_emptied
from ops_project.settings import Settings

FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
MAGIC = b"SQLite format 3\0"
HEADER = 100


def unusable(folder: Path | str, cause: str) -> str:
    """Says in one line that the storage in `folder` cannot be used, why, and the next step."""
    return (
        f"Dagster's storage in {folder} could not be used: {cause}. No run can be started, seen or watched until "
        "it can. Bring it back from a backup (`ops backup list`), or move its .db files away: Dagster then begins "
        "with an empty history of runs. The data and the ledger of alerts are not touched."
    )


def in_words(error: BaseException, folder: Path) -> str:
    """The text of an error of a run; if the storage in `folder` caused it, what `unusable` says."""
    for one in chain(error):
        if isinstance(one, Unusable):
            return str(error)  # another store failed, and the error already says what to do
        if "DBAPIError" in {cls.__name__ for cls in type(one).__mro__}:
            return unusable(folder, " ".join(str(getattr(one, "orig", None) or one).split()))
    return str(error)


def damaged(folder: Path) -> str:
    """The first SQLite file of the storage that is not a database or is cut off, and the reason; empty if there is no
    such file.
    """
    for name in FILES:
        file = folder / name
        try:
            size = file.stat().st_size
            with file.open("rb") as opened:
                head = opened.read(HEADER)
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{file}: {error.strerror or error}"
        if not size:
            continue  # SQLite begins a new database in an empty file.
        if head[: len(MAGIC)] != MAGIC or len(head) < HEADER:
            return f"{file} is not a database"
        page = int.from_bytes(head[16:18], "big")
        expected = (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
        # The count of pages is valid only if these two numbers are equal. Otherwise an old version of SQLite wrote
        # last, and does not maintain the count.
        if head[24:28] == head[92:96] and size < expected and not _has_log(file):
            return f"{file} has been cut off: {size:,} bytes of {expected:,}"
    return ""


def emptied_storage(settings: Settings) -> str:
    """What it means that a file of the storage was emptied, and the next step; empty if none was. Dagster begins a new
    one in its place and does not say so.
    """
    folder = settings.dagster_home
    found = next((file for name in FILES if is_emptied(settings, file := folder / name)), None)
    if found is None:
        return ""
    return (
        f"Dagster's storage {found} is an empty file: the history of runs that it kept is not in it any more. Bring it "
        "back from a backup (`ops backup list`) before the next run, which begins a new one in its place."
    )


def _has_log(file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    return log.is_file() and log.stat().st_size > 0
