"""Tells the files in inbound that were simulated from the files that a user has put there.

A simulated file is recorded before it becomes visible, by the only code that makes simulated files visible. So the
record knows each file of each source, whatever its name and its time of arrival are. A file that is not in the record,
or that has changed since, is a user's own.

Only a home with an unfinished request for first files asks this question. So the record exists only beside that
request, and does not grow with the life of the home.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

REQUEST = "simulator-unfinished.json"
"""The request for first files that was not finished; see `first_files`."""
RECORD = "simulator-files.jsonl"

Identity = tuple[str, str, int, int]
"""Domain, name, size in bytes, and time of modification in nanoseconds."""


def record(home: Path, domain: str, files: Iterable[Path]) -> None:
    """Record files as simulated. Each path has the name, content and time that the file has or will have in inbound."""
    if not (home / REQUEST).exists():
        return
    # The leading line break ends a line that a killed process has left unfinished.
    text = "".join(f"\n{json.dumps(_identity(domain, path))}" for path in files) + "\n"
    descriptor = os.open(home / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)


def any_in(home: Path, inbound: Path, domain: str) -> bool:
    """Whether inbound holds a file of the domain that was not simulated."""
    simulated = _recorded(home)
    return any(_identity(domain, path) not in simulated for path in files_of(inbound, domain))


def files_of(inbound: Path, domain: str) -> list[Path]:
    """The files in the inbound folder of a domain."""
    return [path for path in (inbound / domain).glob("*") if path.is_file()]


def forget(home: Path) -> None:
    """Remove the request and its record."""
    (home / REQUEST).unlink(missing_ok=True)
    (home / RECORD).unlink(missing_ok=True)


def _identity(domain: str, path: Path) -> Identity:
    status = path.stat()
    return domain, path.name, status.st_size, status.st_mtime_ns


def _recorded(home: Path) -> set[Identity]:
    try:
        text = (home / RECORD).read_text(encoding="utf-8")
    except FileNotFoundError:
        return set()
    found: set[Identity] = set()
    for line in text.splitlines():
        try:
            domain, name, size, modified = json.loads(line)
        except ValueError:
            continue  # The line is empty, or a killed process has not finished it: its file is not in inbound.
        found.add((domain, name, size, modified))
    return found
