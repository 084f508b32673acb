"""Opens the ledger of a home, once in each process. Every command opens it through this module. So no command treats an
emptied ledger as a new one, or creates a new ledger in place of one that is gone.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from ops_project.operations.ledger.address import LedgerMisnamed, wrong_address
from ops_project.operations.ledger.store import Ledger
from ops_project.operations.ledger.unusable import LedgerUnusable
from ops_project.process.emptied import NEXT, is_emptied, is_gone
from ops_project.settings import Settings

_SQLITE = "sqlite:///"
logger = logging.getLogger(__name__)


class LedgerEmptied(LedgerUnusable):
    """The file of the ledger is empty, although tables have been built in this home."""

    def __init__(self, file: Path) -> None:
        RuntimeError.__init__(
            self,
            f"The ledger {file} is an empty file: no alert, incident, silence or acknowledgement is in it any more. "
            f"Nothing about alerts can be read or recorded until it is mended; data is still built. {NEXT}",
        )


class LedgerGone(LedgerUnusable):
    """The file of the ledger does not exist, although tables have been built in this home."""

    def __init__(self, file: Path) -> None:
        RuntimeError.__init__(
            self,
            f"{_gone(file)} If the ledger is elsewhere, set OPS_LEDGER_URL. Otherwise bring it back from a backup "
            "(`ops backup list`), or begin a new one, which has no history, with `ops cycle`.",
        )


def _gone(file: Path) -> str:
    return (
        f"The ledger {file} is not there, although tables have been built in this home: its alerts, incidents, "
        "silences and holds are unknown."
    )


@lru_cache(maxsize=4)
def _opened(url: str, _file: int | None) -> Ledger:
    return Ledger.open(url)


def open_ledger(settings: Settings, begins: bool = False) -> Ledger:
    """The ledger that OPS_LEDGER_URL names, otherwise the SQLite file of the home. The file is created and migrated if
    needed. Raises LedgerUnusable.

    `begins`: whether a new file may be created if tables have been built in this home and the file is gone. If the file
    was replaced while this process runs, because a home was restored, the new file is opened. A connection that was
    kept would still write to the old file.
    """
    url = settings.ledger_url
    if reason := wrong_address(url):
        raise LedgerMisnamed(reason)
    if not url.startswith(_SQLITE):
        return _opened(url, None)
    file = Path(url.removeprefix(_SQLITE))
    if is_emptied(settings, file):
        raise LedgerEmptied(file)
    if is_gone(settings, file):
        # If this process has kept a connection, it would still write to the file that is gone.
        _opened.cache_clear()
        if not begins:
            raise LedgerGone(file)
        logger.warning("%s A new one begins now.", _gone(file))
    return _opened(url, _inode(url, file))


def _inode(url: str, file: Path) -> int | None:
    if not file.exists():
        # The home was removed while this process ran. The next file may get the same inode, so the kept ledger is
        # dropped.
        _opened.cache_clear()
        Ledger.open(url).close()
    return file.stat().st_ino if file.exists() else None
