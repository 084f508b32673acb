"""Decides whether the ledger is the cause of an error: its database raised the error, or its file is damaged inside."""

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
"""The time limit of a check. The check reads every page, which takes 0.1 s for a ledger of 30 MB."""


def damage(url: str, seconds: float = LONGEST_SECONDS) -> LedgerUnusable | None:
    """The damage that SQLite's own check finds within `seconds`. None if it finds nothing, does not finish in time, or
    if the ledger is kept by a server.

    Call this function only after an error that nothing else explains. Calling it whenever the ledger is opened would
    take too long.
    """
    if wrong_address(url):
        return None
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or not Path(parsed.database).is_file():
        return None
    found = quick_check(Path(parsed.database), time.monotonic() + seconds)
    return LedgerUnusable(parsed.database, sqlite3.DatabaseError(f"it is damaged: {found}")) if found else None


def cause_in_ledger(error: Exception, url: str) -> Exception | None:
    """The cause of `error`, if it lies in the ledger; otherwise None. It is `error` itself if the ledger's database
    raised it. It is the damage if the ledger's file is damaged, because the strange values in such a file can cause
    errors of any kind.
    """
    return error if isinstance(error, SQLAlchemyError) else damage(url)
