"""Finds out which code runs. The commit is read from .git without starting git."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ops_project.settings import PROJECT_ROOT


@lru_cache(maxsize=4)
def commit(root: Path = PROJECT_ROOT) -> str:
    """The commit that is checked out (40 hex digits), or `unknown` outside a clone."""
    git = root / ".git"
    try:
        if git.is_file():  # In a linked work tree, this file names the real folder.
            git = (root / git.read_text(encoding="utf-8").partition("gitdir:")[2].strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        common = git / "commondir"
        shared = (git / common.read_text(encoding="utf-8").strip()).resolve() if common.is_file() else git
        for folder in (git, shared):
            if (folder / name).is_file():
                return (folder / name).read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next(line.split()[0] for line in packed if line.endswith(f" {name}"))
    except (OSError, StopIteration, IndexError):
        return "unknown"


@lru_cache(maxsize=1)
def sources_key() -> str:
    """A value that changes with every change of the Python code that runs, committed or not."""
    digest = hashlib.sha256()
    for package in ("ops_project", "asset_checks"):
        for path in sorted((PROJECT_ROOT / package).rglob("*.py")):
            stat = path.stat()
            digest.update(f"{path.relative_to(PROJECT_ROOT)} {stat.st_mtime_ns} {stat.st_size};".encode())
    return digest.hexdigest()[:16]
