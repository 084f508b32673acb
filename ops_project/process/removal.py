"""Removes a folder that other code takes for complete because it exists."""

from __future__ import annotations

import shutil
from pathlib import Path

REMOVED = ".removed-"


def remove_folder(folder: Path) -> None:
    """Rename the folder, then remove it. So if the process is killed, the folder is either whole or gone. What a killed
    process has left beside it is removed by the next call. A folder that cannot be renamed stays as it is: another
    process may have removed it.
    """
    for left in folder.parent.glob(f"{REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)
    gone = folder.with_name(f"{REMOVED}{folder.name.lstrip('.')}")
    try:
        folder.rename(gone)
    except OSError:
        return
    shutil.rmtree(gone, ignore_errors=True)
