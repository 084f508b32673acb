"""Dagster's storages have moved to `ops_project.dagster_bridge.storage`.

An existing home's `dagster.yaml` names this module and is never overwritten, so the old name must keep working.
"""

from ops_project.dagster_bridge.storage import EventLog, RunStorage, Storage

__all__ = ["EventLog", "RunStorage", "Storage"]
