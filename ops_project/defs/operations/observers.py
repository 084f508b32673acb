"""Every observer of this application: those of the operations layer, and those that look at our warehouse."""

from __future__ import annotations

from ops_project.operations.alerting.observers import registry
from ops_project.operations.alerting.observers.observer import Observer

_EVENTS, *_OTHERS = registry.OBSERVERS

# The snapshot is looked at right after the events: a finding and the run that it stopped are decided on together.
OBSERVERS: tuple[Observer, ...] = (
    _EVENTS,
    Observer("snapshot", registry.imported_late("ops_project.defs.operations.snapshot_observer")),
    Observer("warehouse", registry.imported_late("ops_project.defs.operations.warehouse_observer")),
    *_OTHERS,
)
