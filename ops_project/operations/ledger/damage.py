"""Whether an error has its cause in the ledger: its store gave the error, or its file is damaged inside."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from ops_project.operations.ledger.address import wrong_address
from ops_project.operations.ledger.unusable import LedgerUnusable
from ops_project.process.sqlite_check import quick_check

LONGEST_SECONDS = 5.0
"""The time limit of a check. It reads every page, which takes 0.1 s for a ledger of 30 MB."""


def damage(url: str, seconds: float = LONGEST_SECONDS) -> LedgerUnusable | None:
    """What SQLite's own check finds within `seconds`; None if it finds nothing, cannot finish in
    time, or if a server keeps the ledger.

    Call it after an error that nothing else explains. Calling it at each opening would take too long.
    """
    if wrong_address(url):
        return None
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or not Path(parsed.database).is_file():
        return None
    found = quick_check(Path(parsed.database), time.monotonic() + seconds)
    return LedgerUnusable(parsed.database, sqlite3.DatabaseError(f"it is damaged: {found}")) if found else None


def cause_in_ledger(error: Exception, url: str) -> Exception | None:
    """The error, if the store of the ledger gave it; the damage, if the ledger's file is damaged, because its strange
    values cause errors of any kind; None if the ledger is not the cause.
    """
    return error if isinstance(error, SQLAlchemyError) else damage(url)
