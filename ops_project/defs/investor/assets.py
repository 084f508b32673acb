"""The parts of the investor metrics besides landed and dbt tables: checks of the risks that their document names."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.site import Site
from ops_project.defs.shared.stated import stated_checks


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """Checks that belong to the main job."""
    checks = stated_checks(site, "investor")
    return [] if checks is None else [checks]
