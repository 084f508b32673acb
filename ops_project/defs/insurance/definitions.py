"""Puts the Dagster definitions of insurance together."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.insurance.assets import assets
from ops_project.defs.insurance.automation import JOBS, SCHEDULES
from ops_project.defs.insurance.transforms import LAYERS
from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.reconciliation import reconciliation_job
from ops_project.defs.shared.site import Site


def build(site: Site) -> dg.Definitions:
    """All Dagster definitions of insurance."""
    return dg.Definitions.merge(
        build_domain(site, "insurance", layers=LAYERS, jobs=JOBS, schedules=SCHEDULES, assets=assets(site)),
        reconciliation_job(site, "insurance"),
    )
