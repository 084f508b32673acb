"""Remembers the configuration folder with which a home was built.

A command that is run without this folder lacks the domains, owners and rules of the folder, but its answers still look
complete. So such a command warns and names the folder. It does not use the folder by itself, because the user decides
with which configuration a command runs.
"""

from __future__ import annotations

from pathlib import Path

from ops_project.settings import Settings


def remember(settings: Settings) -> None:
    """Remember the folder of a run. A run without a folder changes nothing, because the tables of the folder are still
    in the home.
    """
    if settings.overlay is not None:
        file = _file(settings)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{settings.overlay}\n", encoding="utf-8")


def left_out(settings: Settings) -> str | None:
    """The warning for a command that is run without the folder, or None."""
    if settings.overlay is not None or not _file(settings).is_file():
        return None
    try:
        folder = Path(_file(settings).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeError):
        return f"{_file(settings)} cannot be read: with which --config this home was built is unknown. Remove the file."
    gone = "" if folder.is_dir() else " (which is no longer there)"
    return (
        f"This home was built with --config {folder}{gone}; without it, the domains, feeds and rules of that folder "
        f"are left out. Add --config, set OPS_CONFIG, or remove {_file(settings)} if the folder is given up."
    )


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "overlay"
