"""The objects of the operations layer over our own pipelines."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ops_project.defs.operations.after_run import remember_columns
from ops_project.defs.operations.archive_job import archive_definitions
from ops_project.defs.operations.backups import backup_definitions
from ops_project.defs.operations.evidence import SOURCES
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.defs.operations.open_alerts import open_alert_checks
from ops_project.defs.operations.reports import report_sensor
from ops_project.defs.operations.sensors import Watch, sensors
from ops_project.defs.shared.site import Site


def build(site: Site, assets: Sequence[dg.AssetKey]) -> dg.Definitions:
    """The sensors of alerts and of reports, the checks that show open alerts, the check of the archive, and backups."""
    return dg.Definitions.merge(
        dg.Definitions(
            asset_checks=[open_alert_checks(site, assets)], sensors=[*sensors(watch_of(site)), report_sensor(site)]
        ),
        archive_definitions(site),
        backup_definitions(site),
    )


def watch_of(site: Site) -> Watch:
    """What the sensors watch in our own home."""
    return Watch(site.settings, site.catalog, OBSERVERS, SOURCES, lambda now: remember_columns(site, now))
