"""Folders that are expensive to build and that tests only read. The first process that needs a folder builds it for all
processes of the run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def built_once(tmp_path_factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The folder `name`, which `build` has filled. While one process builds the folder, others wait, and then use it.

    No test may write into the folder: a test that needs to write makes a copy. Raises what `build` raises, in each
    process.
    """
    base = tmp_path_factory.getbasetemp()
    # Each process of pytest-xdist has a folder of its own in the folder of the run.
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
