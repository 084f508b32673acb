"""Notices every file that this process makes or changes outside of the folders where a test allows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# The position of the argument that names the file.
CHANGES = {
    "os.mkdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
    "os.remove": 0,
    "os.rmdir": 0,
    "os.truncate": 0,
    "os.chmod": 0,
    "os.utime": 0,
    "sqlite3.connect": 0,
}
# Compiled code, compiled templates (tests/compiled_templates.py) and devices are not anybody's data.
IGNORED = ("__pycache__", "/once-templates/", "/dev/", "/proc/")

_watching: list[tuple[tuple[str, ...], list[str]]] = []


@contextmanager
def writes_outside(*allowed: Path) -> Iterator[list[str]]:
    """Paths that are written to, in this context, outside of `allowed`."""
    found: list[str] = []
    _install()
    _watching.append((tuple(os.path.realpath(folder) for folder in allowed), found))
    try:
        yield found
    finally:
        _watching.pop()


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, _mode, flags = arguments
        if not isinstance(flags, int) or not flags & WRITES:
            return
    elif event in CHANGES:
        path = arguments[CHANGES[event]]
    else:
        return
    if not isinstance(path, str | bytes | os.PathLike):
        return  # the descriptor is open already
    text = os.fsdecode(path).removeprefix("file:")
    if text in ("", ":memory:"):
        return
    if not Path(text).is_absolute() and event in ("os.remove", "os.rmdir", "os.mkdir") and arguments[-1] >= 0:
        text = f"/proc/self/fd/{arguments[-1]}/{text}"  # the path is relative to an open folder, as in `shutil.rmtree`
    # The last part is left out, so that a replaced link counts at the place where it lies.
    place = f"{os.path.realpath(Path(text).parent)}/{Path(text).name}"
    allowed, found = _watching[-1]
    if any(part in place for part in IGNORED) or any(place == one or place.startswith(one + "/") for one in allowed):
        return
    found.append(place)


def _install(_done: list[bool] = []) -> None:  # noqa: B006  # an audit hook can be added, and never taken away
    if not _done:
        _done.append(True)
        sys.addaudithook(_look)
