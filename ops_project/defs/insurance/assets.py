"""The parts of insurance that are neither landed nor built by dbt: a check for gaps in the source's numbers, and the
reconciliations.
"""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.reconciliation import reconciliation_checks
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.stated import stated_checks


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """Checks that belong to the main job."""
    found = (stated_checks(site, "insurance"), reconciliation_checks(site, "insurance"))
    return [checks for checks in found if checks is not None]
