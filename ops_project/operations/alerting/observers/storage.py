"""Observer: whether a file of Dagster's own storage is damaged, emptied or gone. Other observers would notice this only
when they read the damaged page, or never: in the place of a file that is gone, Dagster begins a new one without a
message.
"""

from __future__ import annotations

from ops_project.dagster_bridge.storage_damage import damaged, lost_storage
from ops_project.dagster_bridge.storage_errors import StorageUnusable, unusable
from ops_project.operations.alerting.observers.observer import Observation, View

LONGEST_SECONDS = 20.0


def look(view: View) -> Observation:
    """Nothing if the files are whole, or another storage is configured. Raises StorageUnusable."""
    if found := lost_storage(view.settings):
        raise StorageUnusable(found)
    if found := damaged(view.settings.dagster_home, LONGEST_SECONDS):
        raise StorageUnusable(unusable(view.settings.dagster_home, found))
    return Observation()
