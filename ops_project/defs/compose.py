"""Merges the Dagster definitions of all domains and of operations."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.util import find_spec

import dagster as dg

from ops_project.catalog import ConfigError
from ops_project.dagster_bridge import check_warnings
from ops_project.dagster_bridge.partition_keys import keep_lists
from ops_project.defs.operations.definitions import build as build_operations
from ops_project.defs.shared.domain import build_domain, layers_of
from ops_project.defs.shared.logs import file_logger
from ops_project.defs.shared.own_checks import require_tables
from ops_project.defs.shared.run_session import warehouse_resource
from ops_project.defs.shared.site import Site
from ops_project.model.alerting.consistency import check_promises


def compose(site: Site) -> dg.Definitions:
    """The definitions of every domain of the catalog, and those of operations. A domain without a Python package is
    made from its feeds file and its dbt models.
    """
    keep_lists()
    check_warnings.leave_out()
    parts = []
    for name in site.catalog.domain_ids():
        if find_spec(f"ops_project.defs.{name}") and find_spec(f"ops_project.defs.{name}.definitions"):
            parts.append(importlib.import_module(f"ops_project.defs.{name}.definitions").build(site))
        elif site.catalog.feeds_of(name):
            parts.append(build_domain(site, name, layers=layers_of(site.dbt.json, name)))
    merged = dg.Definitions.merge(*parts)
    built = sorted({key for part in merged.assets or () if isinstance(part, dg.AssetsDefinition) for key in part.keys})
    require_tables(site.catalog, built)
    _check_promises(site, built, sorted(job.name for job in merged.jobs or ()))
    return dg.Definitions.merge(
        merged,
        build_operations(site, built),
        dg.Definitions(
            resources={"warehouse": warehouse_resource(site)},
            executor=dg.in_process_executor,
            loggers={"console": file_logger(site.settings)},
        ),
    )


def _check_promises(site: Site, built: Sequence[dg.AssetKey], jobs: Sequence[str]) -> None:
    """Raises ConfigError with file and line if a service level has a table that no step builds, or a job that does not
    exist. Such a service level could never be reported as missed.
    """
    assets = ["/".join(key.path) for key in built]
    if problems := check_promises(site.catalog.documents["slas.yaml"], site.catalog.slas, assets, jobs):
        raise ConfigError(problems)
