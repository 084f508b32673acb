"""Observer of the files of Dagster's own storage: is one damaged, emptied or gone? Other observers would notice only
when they read the damaged page, or never. If a file is gone, Dagster creates a new one without a message.
"""

from __future__ import annotations

from ops_project.dagster_bridge.storage_damage import damaged, lost_storage
from ops_project.dagster_bridge.storage_errors import StorageUnusable, unusable
from ops_project.operations.alerting.observers.observer import Observation, View

LONGEST_SECONDS = 20.0


def look(view: View) -> Observation:
    """Returns nothing if the files are whole, or if another storage is configured. Raises StorageUnusable otherwise."""
    if found := lost_storage(view.settings):
        raise StorageUnusable(found)
    if found := damaged(view.settings.dagster_home, LONGEST_SECONDS):
        raise StorageUnusable(unusable(view.settings.dagster_home, found))
    return Observation()
