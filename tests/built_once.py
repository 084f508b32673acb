"""What is dear to build and only read: built once for all processes of a run of the tests, by whoever needs it first."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def built_once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The folder `name`, which `build` has filled. Another process waits while it is built, and finds it after that.

    Nobody may write into it: a test that needs to write makes a copy. Raises what `build` raises, in each process.
    """
    base = tmp_path_factory.getbasetemp()
    # The processes of pytest-xdist have a folder each, side by side in that of the run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / f"once-{name}"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / f"once-{name}.built").exists():
            # A process before this one may have failed in the middle.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            (root / f"once-{name}.built").touch()
    return folder
