"""Records the faults that were applied, in `truth.json` of the home. Only tests read this file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, Any]]:
    """Every fault of this home, oldest first."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return list(entries)


def append(path: Path, entries: list[dict[str, Any]]) -> None:
    """Add entries. If the process is killed, the file has all of them or none."""
    if not entries:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([*read(path), *entries], indent=2, default=str, ensure_ascii=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)
