"""Puts the Dagster definitions of marketing together."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.marketing.assets import ASSETS
from ops_project.defs.marketing.automation import JOBS, SCHEDULES
from ops_project.defs.marketing.transforms import LAYERS
from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.site import Site


def build(site: Site) -> dg.Definitions:
    """All Dagster definitions of marketing."""
    return build_domain(site, "marketing", layers=LAYERS, jobs=JOBS, schedules=SCHEDULES, assets=ASSETS)
