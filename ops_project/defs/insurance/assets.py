"""What insurance has besides landed and dbt tables: the reconciliation of every hop after a load."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.reconciliation import reconciliation_checks
from ops_project.defs.shared.site import Site


def assets(site: Site) -> list[dg.AssetsDefinition]:
    """The post-load reconciliation; it belongs to the main job."""
    checks = reconciliation_checks(site, "insurance")
    return [] if checks is None else [checks]
