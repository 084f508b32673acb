"""Checks whose results are rows in a domain's tables (stated checks). `asset_checks.<domain>.STATED` lists them, and
this module connects them with the run's warehouse.
"""

from __future__ import annotations

import importlib

import dagster as dg

from asset_checks.stated import StatedCheck, build_stated_checks
from ops_project.defs.shared.checking import guarded
from ops_project.defs.shared.permanent import TEST_SECONDS
from ops_project.defs.shared.site import Site


def stated_checks(site: Site, domain: str) -> dg.AssetChecksDefinition | None:
    """One step with the domain's stated checks; None if it has none."""
    checks: tuple[StatedCheck, ...] = importlib.import_module(f"asset_checks.{domain}").STATED
    runbook = site.catalog.domain(domain).runbook
    return build_stated_checks(
        domain=domain,
        checks=checks,
        parameters=site.catalog.checks,
        connect=lambda context: context.resources.warehouse.connection(),
        clock=lambda context: context.resources.warehouse.now,
        timezone=site.catalog.platform.timezone,
        runbooks={check.asset: runbook for check in checks} if runbook else {},
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TEST_SECONDS)},
        guard=guarded,
    )
