"""Distinguishes simulated files in inbound from files that a user has put there.

All simulated files become visible through one function, which first records each file. So the record contains every
simulated file, whatever its name and arrival time are. A file that is not in the record, or that has changed since, is
a user's own file.

Only a home with an unfinished request for first files needs this distinction. So the record exists only together with
that request, and does not grow later.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

REQUEST = "simulator-unfinished.json"
"""The unfinished request for first files; see `first_files`."""
RECORD = "simulator-files.jsonl"

Identity = tuple[str, str, int, int]
"""Domain, name, size in bytes, and time of modification in nanoseconds."""


def record(home: Path, domain: str, files: Iterable[Path]) -> None:
    """Record files as simulated. Each path has the name, content and time that the file has when it is in inbound."""
    if not (home / REQUEST).exists():
        return
    # If a killed process has left an unfinished line, the leading line break ends it.
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
            continue  # The line is empty, or a killed process did not finish it. Then its file did not become visible.
        found.add((domain, name, size, modified))
    return found
