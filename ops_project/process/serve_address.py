"""The address at which `ops serve` of a home answers now. Links in messages use it.

`ops serve` writes its address and its process into a file, and removes the file when it ends. The address counts only
while the process is seen to run, because the process may have been killed, or may run on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_project.json_file import read_object
from ops_project.process.processes import Process, current
from ops_project.process.ui_address import url_of
from ops_project.settings import Settings

FILE_NAME = "serve.json"


@contextmanager
def remembered(settings: Settings, host: str, port: int) -> Iterator[str]:
    """Yields the address, which is written down until the block ends. Raises OSError."""
    path, url = _path(settings), url_of(host, port)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url, "process": str(current())}) + "\n", encoding="utf-8")
    partial.replace(path)
    try:
        yield url
    finally:
        path.unlink(missing_ok=True)


def recall(settings: Settings) -> str:
    """The address; empty if no `ops serve` of this home is seen to run."""
    try:
        found = read_object(_path(settings))
        process, url = Process.parse(str(found["process"])), str(found["url"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    return url if process is not None and process.alive() else ""


def _path(settings: Settings) -> Path:
    return settings.home / FILE_NAME
