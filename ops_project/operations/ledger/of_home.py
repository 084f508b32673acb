"""The ledger of a home, opened once in a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ops_project.operations.ledger.store import Ledger
from ops_project.settings import Settings

_SQLITE = "sqlite:///"


@lru_cache(maxsize=4)
def _opened(url: str, _file: int | None) -> Ledger:
    return Ledger.open(url)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger that OPS_LEDGER_URL names, or else the SQLite file of the home, which is made and migrated if
    needed. If another file has taken its place while this process ran (a restored home), the new file is opened,
    because a kept connection would write to the file that was put aside.
    """
    url = settings.ledger_url
    return _opened(url, _inode(url) if url.startswith(_SQLITE) else None)


def _inode(url: str) -> int | None:
    file = Path(url.removeprefix(_SQLITE))
    if not file.exists():
        # The home was removed while this process ran. The inode of its file may be given to the next file, so the kept
        # ledger is dropped.
        _opened.cache_clear()
        Ledger.open(url).close()
    return file.stat().st_ino if file.exists() else None
