"""Lists every observer of this application: the general ones of `operations`, and those of our warehouse."""

from __future__ import annotations

from datetime import timedelta

from ops_project.operations.alerting.observers import registry
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.settings import Settings

_EVENTS, *_OTHERS = registry.OBSERVERS

# The observers of publications and snapshots come directly after the observer of events. So the tables that a run
# published, its findings and its end are decided in one cycle.
OBSERVERS: tuple[Observer, ...] = (
    _EVENTS,
    Observer("publication", registry.imported_late("ops_project.defs.operations.publication_observer"), anywhere=True),
    Observer("snapshot", registry.imported_late("ops_project.defs.operations.snapshot_observer")),
    Observer("inbound", registry.imported_late("ops_project.defs.operations.inbound_observer"), timedelta(seconds=30)),
    Observer("archive", registry.imported_late("ops_project.defs.operations.archive_observer"), timedelta(seconds=30)),
    Observer("warehouse", registry.imported_late("ops_project.defs.operations.warehouse_observer")),
    Observer("backups", registry.imported_late("ops_project.defs.operations.backup_observer"), timedelta(minutes=5)),
    *_OTHERS,
)


def observers_of(settings: Settings) -> tuple[Observer, ...]:
    """The observers of this home. Another Dagster project has no inbound files and no warehouse of ours."""
    return OBSERVERS if settings.watched is None else registry.OBSERVERS
