"""The parts of the investor metrics that are neither landed nor built by dbt: checks of the risks that the requirements
name.
"""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.site import Site
from ops_project.defs.shared.stated import stated_checks


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """Checks that belong to the main job."""
    checks = stated_checks(site, "investor")
    return [] if checks is None else [checks]
