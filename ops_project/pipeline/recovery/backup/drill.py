"""Measures what the loss of the disk would cost: how much work would be lost, and how long it would take until the home
can be used again.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ops_project.json_file import record
from ops_project.pipeline.recovery.backup.create import STAGED, Tell
from ops_project.pipeline.recovery.backup.manifest import Manifest
from ops_project.pipeline.recovery.backup.proof import compared
from ops_project.pipeline.recovery.backup.rebuild import fetch
from ops_project.pipeline.recovery.backup.shelf import Shelf
from ops_project.pipeline.recovery.databases.outside import NOTHING, Outside
from ops_project.pipeline.recovery.decide.target import RestoreError
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings


@dataclass(frozen=True)
class Drill:
    """The result of one drill."""

    at: str
    """When the drill was done (ISO 8601, UTC)."""
    backup: str
    store: str
    ok: bool
    words: str
    recovery_point_seconds: float
    """The age of the backup. All work that is newer would be lost."""
    lost_files: int | None
    """The number of loaded files that the backup does not contain. None if there is no snapshot to compare with."""
    recovery_seconds: float
    """The time from an empty folder to a home that was opened and compared."""
    size_bytes: int


def drill(
    settings: Settings,
    shelf: Shelf,
    manifest: Manifest,
    *,
    now: datetime,
    tell: Tell = lambda _words: None,
    outside: Outside = NOTHING,
) -> Drill:
    """Rebuild the home in an empty folder, and append the result to the history. Call this within `create.alone`."""
    folder = settings.home / f"{STAGED}drill-{manifest.id}"
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    try:
        folder.mkdir(parents=True)
        fetch(shelf, manifest, folder, tell)
        differences = compared(folder, manifest, outside)
        words = (
            differences[0] if differences else "the home can be opened, and every table's checksum equals the backup's"
        )
    except (RestoreError, OSError) as error:
        differences = [words := str(error)]
    finally:
        seconds = time.perf_counter() - began
        shutil.rmtree(folder, ignore_errors=True)
    kept = snapshots.existing(settings)
    lost = max(0, kept[-1].manifest.get("load_seq", 0) - manifest.load_seq) if kept else None
    done = Drill(
        at=now.isoformat(),
        backup=manifest.id,
        store=shelf.store.shown,
        ok=not differences,
        words=words,
        recovery_point_seconds=max(0.0, (now - manifest.at).total_seconds()),
        lost_files=lost,
        recovery_seconds=round(seconds, 3),
        size_bytes=manifest.summary().size_bytes,
    )
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as writer:
        writer.write(json.dumps(asdict(done)) + "\n")
    return done


def history(settings: Settings) -> list[Drill]:
    """Every drill, oldest first. A line that cannot be read is left out."""
    try:
        lines = _file(settings).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(record(json.loads(line), Drill))
        except (ValueError, RecursionError):
            continue
    return found


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "recovery_drills.jsonl"
