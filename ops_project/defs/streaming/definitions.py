"""Puts the Dagster definitions of music streaming together."""

from __future__ import annotations

import dagster as dg

from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.site import Site
from ops_project.defs.streaming.assets import assets
from ops_project.defs.streaming.automation import JOBS, SCHEDULES
from ops_project.defs.streaming.transforms import LAYERS


def build(site: Site) -> dg.Definitions:
    """All Dagster definitions of music streaming."""
    return build_domain(site, "streaming", layers=LAYERS, jobs=JOBS, schedules=SCHEDULES, assets=assets(site))
