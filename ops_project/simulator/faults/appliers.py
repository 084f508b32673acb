"""Faults outside of inbound files: in the warehouse, in the serving store, in the model registry.

Each kind has one applier. This is a function that gets the resolved fault and the home, does the damage, and returns
what it did.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ops_project.catalog import Catalog
from ops_project.settings import Settings
from ops_project.simulator.faults.fault import Details
from ops_project.simulator.faults.injector import entry
from ops_project.simulator.faults.registry import Resolved

Applier = Callable[[Resolved, Settings, Catalog, datetime], Details]

# Kind of fault → module:function. For a new kind, add a line here and a value to `fault.Kind`.
APPLIERS: dict[str, str] = {
    "warehouse": "ops_project.simulator.faults.warehouse:apply",
    "serving": "ops_project.simulator.faults.serving:apply",
    "model": "ops_project.simulator.faults.registered_models:apply",
}


def carry_out(fault: Resolved, settings: Settings, catalog: Catalog, now: datetime) -> dict[str, Any]:
    """Apply the fault. Returns the entry for truth.json. Raises FaultError if it cannot be applied."""
    module, _, name = APPLIERS[fault.fault.apply].partition(":")
    applier: Applier = getattr(importlib.import_module(module), name)
    return entry(fault, catalog, now, fault.day, applier(fault, settings, catalog, now))
