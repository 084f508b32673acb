"""Finds out whether another program prevents every write to the ledger. A process that only reads would not notice."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url

PATIENCE_SECONDS = 2.0
"""How long the test waits for another process that writes. The transaction of a cycle takes much less than a second."""


def refuses_writing(url: str, patience: float = PATIENCE_SECONDS) -> str:
    """Why the ledger in an SQLite file could not be written to within `patience` seconds, and what to do. Empty if it
    could be.

    The test changes nothing. A ledger is not tested if it does not exist, is read-only, or is in another database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return ""
    file = Path(parsed.database)
    if not file.is_file() or not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return ""
    try:
        address = f"file:{quote(str(file.absolute()))}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return (
            f"The ledger {file} can be read but not written: {error} (for {patience:g} seconds). No alert is recorded "
            "until that is mended; data is still built. If it is locked, end the program that holds it: "
            f"`fuser {file}` names it"
        )
    return ""
