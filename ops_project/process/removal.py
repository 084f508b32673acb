"""Removes a folder that other code takes for complete because it exists."""

from __future__ import annotations

import shutil
from pathlib import Path

REMOVED = ".removed-"


def remove_folder(folder: Path) -> None:
    """Rename the folder, then remove it. So if the process is killed, no part of the folder remains under its name.

    The next call removes what a killed process left under the other name. If the folder cannot be renamed, nothing is
    done, because another process may have removed it.
    """
    for left in folder.parent.glob(f"{REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)
    gone = folder.with_name(f"{REMOVED}{folder.name.lstrip('.')}")
    try:
        folder.rename(gone)
    except OSError:
        return
    shutil.rmtree(gone, ignore_errors=True)
