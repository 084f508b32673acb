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
    Observer("ticks", _late("observe_ticks"), timedelta(seconds=30), needs_instance=True),
    Observer("running", _late("observe_running"), timedelta(seconds=30), needs_instance=True),
    Observer("expected", _late("observe_expected"), timedelta(seconds=30)),
    Observer("processes", _late("observe_processes"), timedelta(seconds=30), needs_instance=True),
    Observer("resources", _late("observe_resources"), timedelta(minutes=5)),
    Observer("deliveries", _late("observe_deliveries"), timedelta(seconds=30)),
)
