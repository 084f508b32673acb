"""Removes what killed processes left behind, before anything new starts.

For the holder of the writer lock only: half-written files then belong to no live process. Runs in Dagster are the
bridge's (`dagster_bridge.runs.mark_dead_runs`).
"""

from __future__ import annotations

import shutil

from ops_project.pipeline.warehouse import publishing, snapshots
from ops_project.settings import Settings


def remove_leftovers(settings: Settings) -> list[str]:
    """Half-written snapshots and publications, and DuckDB's spill files. Returns what was removed, in words."""
    done = [f"snapshot {name}: half-written, removed" for name in snapshots.remove_partial(settings)]
    done += [f"publication {name}: half-written, removed" for name in publishing.remove_partial(settings)]
    spill = settings.warehouse.parent / "spill"
    if spill.is_dir() and any(spill.iterdir()):
        shutil.rmtree(spill, ignore_errors=True)
        done.append("spill files of a killed run: removed")
    return done
