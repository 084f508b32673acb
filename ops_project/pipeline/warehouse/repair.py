"""Removes what killed processes have left, before anything new starts. The caller holds the writer's lock, so no
half-written file belongs to a live process. `dagster_bridge.runs.mark_dead_runs` handles the runs in Dagster.
"""

from __future__ import annotations

import shutil

from ops_project.pipeline.warehouse import publishing, snapshots
from ops_project.settings import Settings


def remove_leftovers(settings: Settings) -> list[str]:
    """Remove half-written snapshots and publications, and DuckDB's temporary files. Returns what was removed, in
    words.
    """
    done = [f"snapshot {name}: half-written, removed" for name in snapshots.remove_partial(settings)]
    done += [f"publication {name}: half-written, removed" for name in publishing.remove_partial(settings)]
    spill = settings.warehouse.parent / "spill"
    if spill.is_dir() and any(spill.iterdir()):
        shutil.rmtree(spill, ignore_errors=True)
        done.append("spill files of a killed run: removed")
    return done
