"""Applies the faults of registered models. They change only files of the models in the home."""

from __future__ import annotations

from datetime import datetime

from ops_project.catalog import Catalog
from ops_project.settings import Settings
from ops_project.simulator.faults.fault import Details
from ops_project.simulator.faults.registry import Resolved
from ops_project.simulator.faults.request import FaultError


def apply(fault: Resolved, settings: Settings, catalog: Catalog, now: datetime) -> Details:  # noqa: ARG001
    """Damage this home's registry. Raises FaultError if it has no model."""
    assert fault.fault.act is not None
    try:
        return fault.fault.act(settings)
    except FaultError as error:
        raise FaultError(f"fault {fault.request}: {error}") from None
