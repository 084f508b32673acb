"""The alert cycle that `ops run` starts at its end, because no daemon may be running."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import dagster as dg

from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.defs.operations.evidence import SOURCES
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.defs.shared.site import Site
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.ledger import open_ledger
from ops_project.process.code_version import commit

logger = logging.getLogger(__name__)


def after_run(site: Site, definitions: dg.Definitions, instance: dg.DagsterInstance, now: datetime) -> CycleReport:
    """Run one alert cycle and send all messages at once. No later cycle would send a message that waits."""
    report = run_once(
        site.settings,
        site.catalog,
        now,
        instance,
        lineage=lineage_of(definitions),
        clock=lambda: datetime.now(UTC),
        observers=OBSERVERS,
        evidence=SOURCES,
        flush_now=True,
    )
    remember_columns(site, now)
    return report


def remember_columns(site: Site, now: datetime) -> None:
    """Store which column comes from which under this version of the code. An error is only logged, because it must not
    delay a run or the alerts.
    """
    try:
        open_ledger(site.settings).keep_columns(site.columns, commit(), now)
    except Exception:
        logger.warning(
            "The lineage of the columns could not be kept; `ops lineage` shows the version before.", exc_info=True
        )
