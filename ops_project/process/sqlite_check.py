"""SQLite's own check of a file. Without this check, SQLite may read wrong values from a damaged page for a long time
before it reports an error.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def quick_check(file: Path, until: float) -> str | None:
    """What is wrong in the file, in one line; empty if the file is whole. Every page is read.

    None if this cannot be decided, because another process has locked the file, or because `until` (a time of
    `time.monotonic`) has passed.
    """
    import sqlite3  # Every failing command loads this module, but few of these commands check a file.

    try:
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            connection.text_factory = bytes
            connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return " ".join(str(error).split())
    said = "nothing" if found is None else bytes(found[0]).decode(errors="replace")
    return "" if said == "ok" else " ".join(said.split())
