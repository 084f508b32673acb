"""Puts the Dagster definitions of the investor metrics together."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.investor.assets import assets
from ops_project.defs.investor.automation import JOBS, SCHEDULES, pipeline_jobs
from ops_project.defs.investor.transforms import LAYERS
from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.site import Site


def build(site: Site) -> dg.Definitions:
    """All Dagster definitions of the investor metrics."""
    return dg.Definitions.merge(
        build_domain(site, "investor", layers=LAYERS, jobs=JOBS, schedules=SCHEDULES, assets=assets(site)),
        pipeline_jobs(site),
    )
