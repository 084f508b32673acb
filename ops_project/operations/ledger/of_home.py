"""The ledger of a home, opened once in a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ops_project.operations.ledger.store import Ledger
from ops_project.settings import Settings

_SQLITE = "sqlite:///"


@lru_cache(maxsize=4)
def _opened(url: str) -> Ledger:
    return Ledger.open(url)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger that OPS_LEDGER_URL names, else the SQLite file of the home, which is made and migrated as needed."""
    url = settings.ledger_url
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        # Somebody removed the home while this process ran: a kept connection would write to the deleted file.
        _opened.cache_clear()
    return _opened(url)
