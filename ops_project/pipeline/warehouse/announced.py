"""What a run announces before it changes the warehouse. If the run is killed or interrupted before its snapshot, the
announcement is the only trace of the run, and the next snapshot takes account of it. Each snapshot removes the
announcements.

Announce while holding the writer's lock.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

from ops_project.json_file import read_json, read_object
from ops_project.pipeline.warehouse import files
from ops_project.pipeline.warehouse.retention import SEVERAL
from ops_project.settings import Settings

EVERY_DATE = (date.min, date.max)
"""The window of a rebuild whose dates are not known: every date."""


def rebuild(settings: Settings, window: tuple[date, date]) -> None:
    """Record that the next build makes these business dates anew although nothing touched them. No journal contains
    these dates. Without this record, the snapshot after a killed build would keep their old checksums.
    """
    windows = {*rebuilds(settings), window}
    _write(_rebuilds(settings), sorted([str(first), str(last)] for first, last in windows))


def rebuilds(settings: Settings) -> list[tuple[date, date]]:
    """The windows that were announced since the last snapshot."""
    try:
        noted = read_json(_rebuilds(settings))
        return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in noted]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError):
        return [EVERY_DATE]  # The dates in the damaged file are not known, so every date counts.


def run(settings: Settings, run_id: str, domain: str | None) -> None:
    """Record that a run begins to change the tables of its domain. `domain`: None if the run has several."""
    _write(_runs(settings), {**_begun(settings), run_id: domain or SEVERAL})


def unfinished(settings: Settings, ended: Collection[str] = ()) -> set[str]:
    """The domains of the runs that were announced since the last snapshot, without the runs in `ended`. A process that
    holds the lock knows that these runs have ended. Their tables may be half built.
    """
    return {domain for run_id, domain in _begun(settings).items() if run_id not in ended}


def clear(settings: Settings) -> None:
    """Remove the announcements, because a snapshot contains what they say."""
    _rebuilds(settings).unlink(missing_ok=True)
    _runs(settings).unlink(missing_ok=True)


def _begun(settings: Settings) -> dict[str, str]:
    """Id of a run → its domain."""
    try:
        return {run_id: str(domain) for run_id, domain in read_object(_runs(settings)).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {"": SEVERAL}  # The runs in the damaged file are not known, so it may be any domain.


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, content)


def _rebuilds(settings: Settings) -> Path:
    return settings.warehouse.with_name("rebuilding.json")


def _runs(settings: Settings) -> Path:
    return settings.warehouse.with_name("unfinished.json")
