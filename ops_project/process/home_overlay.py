"""Which configuration folder a home was built with, so that nobody leaves it out without a word.

Without its folder a home lacks domains, owners and rules, and every answer looks whole all the same. It is told, not
applied: what holds is what was asked for.
"""

from __future__ import annotations

from pathlib import Path

from ops_project.settings import Settings


def remember(settings: Settings) -> None:
    """Note the folder of a run. A run without one forgets nothing: what the folder brought is still in the home."""
    if settings.overlay is not None:
        file = _file(settings)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{settings.overlay}\n", encoding="utf-8")


def left_out(settings: Settings) -> str | None:
    """What to tell somebody who asks without the folder, or None."""
    if settings.overlay is not None or not _file(settings).is_file():
        return None
    folder = Path(_file(settings).read_text(encoding="utf-8").strip())
    gone = "" if folder.is_dir() else " (which is no longer there)"
    return (
        f"This home was built with --config {folder}{gone}; without it, the domains, feeds and rules of that folder "
        f"are left out. Add --config, set OPS_CONFIG, or remove {_file(settings)} if the folder is given up."
    )


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "overlay"
