"""Whether the file of a ledger is damaged inside. From a damaged page, SQLite can read invalid text or an
impossible value long before it reports an error itself.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url

from ops_project.operations.ledger.address import wrong_address
from ops_project.operations.ledger.unusable import LedgerUnusable

LONGEST_SECONDS = 5.0
"""The time limit of a check. It reads every page, which takes 0.1 s for a ledger of 30 MB."""


def damage(url: str, seconds: float = LONGEST_SECONDS) -> LedgerUnusable | None:
    """What SQLite's own check finds within `seconds`; None if it finds nothing, cannot finish in
    time, or if a server keeps the ledger.

    Call it after an error that nothing else explains. To call it at each opening would take too long.
    """
    if wrong_address(url):
        return None
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or not Path(parsed.database).is_file():
        return None
    file, until = Path(parsed.database), time.monotonic() + seconds
    try:
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            connection.text_factory = bytes
            connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return None  # locked, or not decided in time
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return LedgerUnusable(str(file), error)
    said = "nothing" if found is None else bytes(found[0]).decode(errors="replace")
    return None if said == "ok" else LedgerUnusable(str(file), sqlite3.DatabaseError(f"it is damaged: {said}"))
