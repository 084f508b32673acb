"""Puts the Dagster definitions of e-commerce together."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.ecommerce import learning
from ops_project.defs.ecommerce.assets import assets
from ops_project.defs.ecommerce.automation import JOBS, SCHEDULES
from ops_project.defs.ecommerce.transforms import LAYERS
from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.site import Site


def build(site: Site) -> dg.Definitions:
    """All Dagster definitions of e-commerce."""
    pipeline = build_domain(site, "ecommerce", layers=LAYERS, jobs=JOBS, schedules=SCHEDULES, assets=assets(site))
    return dg.Definitions.merge(pipeline, learning.weekly(site))
