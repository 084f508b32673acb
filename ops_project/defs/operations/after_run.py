"""The cycle after a run that no daemon watches: `ops run` calls it at its end."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.defs.shared.site import Site
from ops_project.operations.alerting.cycle import CycleReport, run_once


def after_run(site: Site, definitions: dg.Definitions, instance: dg.DagsterInstance, now: datetime) -> CycleReport:
    """Observe, decide, record and tell at once: nobody comes back after a group's wait."""
    return run_once(
        site.settings,
        site.catalog,
        now,
        instance,
        lineage=lineage_of(definitions),
        clock=lambda: datetime.now(UTC),
        observers=OBSERVERS,
        flush_now=True,
    )
