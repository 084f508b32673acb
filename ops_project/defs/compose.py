"""Everything of every domain, merged. Decides nothing."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import dagster as dg

from ops_project.defs.shared.domain import build_domain
from ops_project.defs.shared.logs import file_logger
from ops_project.defs.shared.run_session import warehouse_resource
from ops_project.defs.shared.site import Site


def compose(site: Site) -> dg.Definitions:
    """Every domain of the catalog – one without a package of its own from its feeds file alone –, and operations."""
    parts = []
    for name in [*site.catalog.domain_ids(), "operations"]:
        if find_spec(f"ops_project.defs.{name}") and find_spec(f"ops_project.defs.{name}.definitions"):
            parts.append(importlib.import_module(f"ops_project.defs.{name}.definitions").build(site))
        elif site.catalog.feeds_of(name):
            parts.append(build_domain(site, name))
    return dg.Definitions.merge(
        *parts,
        dg.Definitions(
            resources={"warehouse": warehouse_resource(site)},
            executor=dg.in_process_executor,
            loggers={"console": file_logger(site.settings)},
        ),
    )
