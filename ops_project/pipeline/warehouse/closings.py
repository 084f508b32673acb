"""Records the end of the newest run of each job. At its end, a run takes a snapshot and publishes its tables; this is
called closing. For Dagster, a run is a success as soon as its steps have succeeded, even if the closing fails after
them.

So this module records the beginning of the closing, and then its result. If a note still says `closing`, the process
was killed or the disk was full.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ops_project.json_file import read_record
from ops_project.pipeline.warehouse import files
from ops_project.settings import Settings

CLOSING, CLOSED, FAILED = "closing", "closed", "failed"


@dataclass(frozen=True)
class Closing:
    """The note about one job. It describes the newest run of the job that has begun its closing."""

    job: str
    run_id: str
    domain: str
    state: str
    """The state of the closing: closing, closed or failed."""
    at: str
    """When the note was written, by the run's clock (ISO 8601)."""
    scheduled: bool = False
    error: str = ""
    failed_checks: int | None = None
    """How many checks failed in the run; None if they were not counted."""


def note(settings: Settings, closing: Closing) -> None:
    """Write the note in place of the earlier note about the job."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', closing.job)}.json", asdict(closing))


def noted(settings: Settings) -> list[Closing]:
    """The newest note of every job, sorted by name. A file that cannot be read is left out."""
    found = []
    for path in sorted(_folder(settings).glob("*.json")):
        try:
            found.append(read_record(path, Closing))
        except (OSError, ValueError):
            continue
    return found


def _folder(settings: Settings) -> Path:
    return settings.home / "state" / "closings"
