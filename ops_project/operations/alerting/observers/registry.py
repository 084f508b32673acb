"""The observers that need only Dagster and the ledger, in the order in which they run.

An application adds its own: `defs/operations/observers.py` adds those that read our warehouse. To add an observer here,
write a file with a function `look(view) -> Observation`, and add a line below.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from ops_project.operations.alerting.observers.observer import Observation, Observer, View


def imported_late(module: str) -> Callable[[View], Observation]:
    """The function `look` of a module. The module is imported when the observer runs for the first time. Its libraries
    (Dagster, DuckDB, psutil) take up to a second to import, and most commands need few of them.
    """

    def look(view: View) -> Observation:
        observation: Observation = import_module(module).look(view)
        return observation

    return look


def _here(name: str) -> Callable[[View], Observation]:
    return imported_late(f"ops_project.operations.alerting.observers.{name}")


OBSERVERS: tuple[Observer, ...] = (
    Observer("events", _here("events"), needs_instance=True, anywhere=True),
    Observer("ticks", _here("ticks"), timedelta(seconds=30), needs_instance=True),
    Observer("running", _here("running"), timedelta(seconds=30), needs_instance=True),
    Observer("expected", _here("service_levels"), timedelta(seconds=30)),
    Observer("processes", _here("processes"), timedelta(seconds=30), needs_instance=True),
    Observer("storage", _here("storage"), timedelta(minutes=15)),
    Observer("resources", _here("resources"), timedelta(minutes=5)),
    Observer("rota", _here("rota"), timedelta(hours=1)),
    Observer("deliveries", _here("deliveries"), timedelta(seconds=30)),
)
