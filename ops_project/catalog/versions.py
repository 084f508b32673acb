"""Keeps the configuration files of each snapshot that is kept, so that the configurations of two runs can be compared.

Each file is stored under the digest of its content. So several snapshots share a file that did not change.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from difflib import unified_diff
from hashlib import blake2b
from pathlib import Path

from ops_project.settings import CONFIG_DIR, Settings

PARTIAL = ".partial-"


def keep(settings: Settings) -> dict[str, str]:
    """Keep the files as they are now. Returns path → digest of each file.

    The path is relative to the configuration folder. A file of the overlay replaces the shipped one.
    """
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for root in (CONFIG_DIR, settings.overlay):
        for path in sorted(root.rglob("*")) if root is not None else []:
            if path.is_file() and "__pycache__" not in path.parts:
                body = path.read_bytes()
                found[path.relative_to(root or CONFIG_DIR).as_posix()] = digest = _digest(body)
                _write(folder / digest, body)
    return found


def one_digest(files: Mapping[str, str]) -> str:
    """Digest of the whole configuration, from what `keep` returned."""
    return _digest("\n".join(f"{name} {digest}" for name, digest in sorted(files.items())).encode())


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Paths of the files that were added, removed or changed, sorted."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def difference(settings: Settings, name: str, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The lines of one file that differ, as `diff -U1` shows them. Raises OSError if a version is not kept."""
    old, new = (
        (_folder(settings) / files[name]).read_text(encoding="utf-8", errors="replace").splitlines()
        if name in files
        else []
        for files in (before, now)
    )
    return list(unified_diff(old, new, f"before/{name}", f"now/{name}", lineterm="", n=1))


def forget(settings: Settings, stay: Collection[str]) -> None:
    """Remove the versions whose digests are not among `stay`."""
    for path in _folder(settings).glob("*"):
        if path.name not in stay and not path.name.startswith(PARTIAL):
            path.unlink(missing_ok=True)


def _folder(settings: Settings) -> Path:
    return settings.home / "state" / "configuration"


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=8).hexdigest()


def _write(path: Path, body: bytes) -> None:
    if not path.exists():
        partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
        partial.write_bytes(body)
        partial.rename(path)
