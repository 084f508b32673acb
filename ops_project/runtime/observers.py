"""Everything that is observed, in the order in which it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from ops_project.runtime.observing import Observation, Observer, View


def _late(module: str) -> Callable[[View], Observation]:
    # An observer's libraries (Dagster, DuckDB, psutil) are paid for when it looks for the first time.
    def look(view: View) -> Observation:
        found: Observation = import_module(f"ops_project.runtime.{module}").look(view)
        return found

    return look


OBSERVERS: tuple[Observer, ...] = (
    Observer("events", _late("observe_events"), needs_instance=True),
    Observer("snapshot", _late("observe_snapshot")),
    Observer("deliveries", _late("observe_deliveries"), every=timedelta(seconds=30)),
)
