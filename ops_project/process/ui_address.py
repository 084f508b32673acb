"""The address at which `ops ui` of a home answers. Links in messages use it, because the port can be chosen.

The command stores the address before Dagster replaces its process. The address stays stored when that process ends,
because the next `ops ui` most likely uses the same address. A home whose UI was never opened has no address, and its
messages have no link.
"""

from __future__ import annotations

import json
from pathlib import Path

from ops_project.json_file import read_object
from ops_project.settings import Settings

FILE_NAME = "ui.json"
ANY_HOST = ("0.0.0.0", "::")


def url_of(host: str, port: int) -> str:
    """The address for a browser on this machine. A host that means all addresses of the machine becomes localhost."""
    name = "localhost" if host in ANY_HOST else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def remember(settings: Settings, host: str, port: int) -> None:
    """Store the address. A reader sees the whole file or none. Raises OSError."""
    path = _path(settings)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"url": url_of(host, port)}) + "\n", encoding="utf-8")
    partial.replace(path)


def recall(settings: Settings) -> str:
    """The address. Empty if there is no stored address, or if it cannot be read."""
    try:
        found = read_object(_path(settings))
    except (OSError, ValueError):
        return ""
    url = found.get("url")
    return url if isinstance(url, str) and url.startswith("http://") else ""


def _path(settings: Settings) -> Path:
    return settings.home / FILE_NAME
