"""A new ledger of a test is a copy of one that was migrated once: the migrations cost 45 ms, and a copy costs 1 ms."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ops_project.settings import Settings

SQLITE = "sqlite:///"
STORE = "ops_project.operations.ledger.store"
# The tests of the migrations themselves run them.
EXCEPT = ("ledger/test_ledger.py", "ledger/test_levels.py", "ledger/test_own_times.py", "tests/homes/")
_turn = threading.Lock()
_copies = [True]


def of_a_test(path: Path) -> None:
    """From now on new ledgers are copies, unless the test file at `path` tests migrations."""
    store = sys.modules.get(STORE)
    if store is not None and not hasattr(store.Ledger, "migrated_before"):
        _template()  # now, and not within a test that notices every new file
        store.Ledger.migrated_before = store.Ledger._migrate
        store.Ledger._migrate = _copied_and_migrated
    _copies[0] = not any(part in path.as_posix() for part in EXCEPT)


def copy_into(settings: Settings) -> None:
    """Put a ledger into a home in which nothing has been built and that has none. A test that starts children calls
    this before it starts them, because several children may open the same new ledger at the same time.
    """
    file = Path(settings.ledger_url.removeprefix(SQLITE))
    new = settings.ledger_url.startswith(SQLITE) and not file.exists() and not settings.warehouse.exists()
    if STORE in sys.modules and _copies[0] and os.getpid() == _process and new:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            _template().backup(connection)


def _copied_and_migrated(ledger: Any) -> None:
    # Other processes that a test starts may open the same file at the same time, so they migrate it.
    if _copies[0] and os.getpid() == _process and ledger.engine.dialect.name == "sqlite":
        # If something is wrong with the file, the ledger itself finds and reports it.
        with _turn, suppress(sqlite3.Error, SQLAlchemyError), closing(ledger.engine.raw_connection()) as connection:
            if not connection.cursor().execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                _template().backup(connection.driver_connection)
    ledger.migrated_before()


@cache
def _template() -> sqlite3.Connection:
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sys.modules[STORE].Ledger.open(f"sqlite:///{folder / 'ledger.db'}").close()
    return sqlite3.connect(folder / "ledger.db", check_same_thread=False)


_process = os.getpid()
