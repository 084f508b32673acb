"""Observer of the disk: how full it is, and how many bytes each part of the home takes. A value that cannot be read is
unknown, not zero.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from ops_project.model.alerting.signal import Signal
from ops_project.operations.alerting.observers.observer import Observation, View

PARTS = ("warehouse", "archive", "snapshots", "published", "ledger", "dagster")


def look(view: View) -> Observation:
    """Readings of the disk and of the parts of the home at this moment."""
    return Observation([_disk(view.settings.home, view), *_storage(view)])


def _disk(home: Path, view: View) -> Signal:
    try:
        value: float | None = psutil.disk_usage(str(home)).percent
    except OSError:
        value = None
    return _reading(view, "resource.disk_percent", value, "home")


def _storage(view: View) -> Iterator[Signal]:
    before = {signal.check: signal.value for signal in view.ledger.latest("storage.bytes").values()}
    for part in PARTS:
        folder = view.settings.home / part
        if folder.is_dir():
            yield _reading(view, "storage.bytes", _size(folder), part)
        elif before.get(part):
            yield _reading(view, "storage.bytes", 0.0, part)  # The folder was removed.


def _size(folder: Path) -> float | None:
    """The bytes below `folder`; None if they cannot be counted. Counting 10,000 files in 700 folders took 67 ms; with
    pathlib it took 360 ms.
    """
    total = 0
    waiting = [os.fspath(folder)]
    try:
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file():
                        total += entry.stat().st_size
    except OSError:  # A file was removed while the folder was being counted.
        return None
    return float(total)


def _reading(view: View, kind: str, value: float | None, check: str) -> Signal:
    return view.reading(kind, value, check=check, labels={} if value is not None else {"unknown": "true"})
