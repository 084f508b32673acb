"""Dagster's storage in a new home of a test is a copy of one that was made once: making it costs 250 ms."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

STORAGE = "ops_project.dagster_bridge.storage"
# The tests of the storage itself make it.
EXCEPT = ("test_storage_opened.py", "test_events_as_stock.py", "tests/homes/")
PARTS = ("history", "schedules")
_process = os.getpid()
_copies = [True]


def of_a_test(path: Path) -> None:
    """From now on new storages are copies, unless the test file at `path` tests the storage."""
    module = sys.modules.get(STORAGE)
    if module is not None and not hasattr(module.Storage, "made_before"):
        _template()  # now, and not within a test that notices every new file
        module.Storage.made_before = module.Storage.__init__
        module.Storage.__init__ = _copied_and_made
    _copies[0] = not any(part in path.as_posix() for part in EXCEPT)


def copy_into(base_dir: Path) -> None:
    """Put the storage into a home that has none. A test that starts children calls this before it starts them: several
    children may make the same storage at the same time, so no child copies it.
    """
    if _copies[0] and os.getpid() == _process and not any((base_dir / part).exists() for part in PARTS):
        for part in PARTS:
            shutil.copytree(_template() / part, base_dir / part)


def stock_into(base_dir: Path) -> None:
    """Put Dagster's own storage, which knows nothing of this project, into a Dagster home that has none."""
    for part in PARTS:
        shutil.copytree(_stock_template() / part, base_dir / part)


def _copied_and_made(storage: Any, base_dir: str, inst_data: Any = None) -> None:
    copy_into(Path(base_dir))
    storage.made_before(base_dir, inst_data)


@cache
def _template() -> Path:
    folder = _folder()
    storage = importlib.import_module(STORAGE).Storage(str(folder))
    # The first run of a home also makes the template for the files of later runs.
    with storage.event_log_storage.run_connection("first"):
        pass
    storage.dispose()
    for file in Path(storage.event_log_storage.path_for_shard("first")).parent.glob("first.db*"):
        file.unlink()
    return folder


@cache
def _stock_template() -> Path:
    from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

    folder = _folder()
    DagsterSqliteStorage(str(folder)).dispose()
    return folder


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="storage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
