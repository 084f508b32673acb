"""Adds the checks that dbt cannot make to a domain's layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

import dagster as dg

from asset_checks.from_manifest import table_specs
from asset_checks.layer import build_layer_checks
from asset_checks.specs import TableSpec
from ops_project.defs.shared.bronze import SCHEMA as BRONZE
from ops_project.defs.shared.checking import guarded
from ops_project.defs.shared.permanent import TEST_SECONDS
from ops_project.defs.shared.site import Site
from ops_project.model.feed.column import NUMERIC
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.decide.arrival import is_expected


def layer_checks(site: Site, domain: str, layer: str, keys: Iterable[dg.AssetKey]) -> dg.AssetChecksDefinition | None:
    """One step that checks these tables of a layer."""
    tables = {tuple(key.path) for key in keys}
    if layer == BRONZE:
        specs = [_of_feed(site, feed) for feed in site.catalog.feeds_of(domain)]
    else:
        specs = table_specs(
            site.dbt.json,
            select=lambda node: (node["schema"], node.get("alias") or node["name"]) in tables,
            calendar=lambda feeds: _calendar(site, feeds),
            expected=lambda feeds: _expected(site, feeds),
        )
        default = site.catalog.domain(domain)
        specs = [replace(spec, runbook=spec.runbook or default.runbook) for spec in specs]
    return build_layer_checks(
        domain=domain,
        layer=layer,
        tables=specs,
        parameters=site.catalog.checks,
        connect=lambda context: context.resources.warehouse.connection(),
        clock=lambda context: context.resources.warehouse.now,
        timezone=site.catalog.platform.timezone,
        required_resource_keys={"warehouse"},
        op_tags={"ops/timeout_seconds": str(TEST_SECONDS)},
        guard=guarded,
    )


def _of_feed(site: Site, feed: Feed) -> TableSpec:
    domain = site.catalog.domain(feed.domain)
    columns = feed.bronze_columns()
    return TableSpec(
        schema=BRONZE,
        table=feed.name,
        tier=feed.tier or domain.tier,
        runbook=feed.runbook or domain.runbook,
        feed=feed.name,
        feeds=(feed.name,),
        key=feed.key,
        key_scope="batch" if feed.extract == "full" else "version",
        content=tuple(columns),
        required=tuple(name for name, column in columns.items() if column.required),
        time_column="business_date",
        date_column="business_date",
        full_extract=feed.extract == "full",
        open_on=_opens(feed),
        expected=feed.expected.kind != "never",
        monitored=_monitored(feed),
        personal=tuple(sorted(feed.personal_columns())),
    )


_KINDS = {
    "string": "text",
    "smallint": "whole",
    "integer": "whole",
    "bigint": "whole",
    "decimal": "number",
    "double": "number",
    "boolean": "flag",
    "date": "moment",
    "timestamp": "moment",
}


def _monitored(feed: Feed) -> dict[str, str]:
    """Column → kind, for the columns whose values are compared with earlier files. A numeric key is left out, because
    it grows without limit.
    """
    columns = feed.bronze_columns()
    return {
        name: _KINDS[column.base_type]
        for name, column in columns.items()
        if column.monitor and column.base_type in _KINDS and not (name in feed.key and column.base_type in NUMERIC)
    }


def _opens(feed: Feed) -> Callable[[date], bool]:
    return lambda day: is_expected(day, feed.expected, feed.closed)


def _calendar(site: Site, feeds: Sequence[str]) -> Callable[[date], bool]:
    known = [site.catalog.feeds[name] for name in feeds if name in site.catalog.feeds]
    return lambda day: any(is_expected(day, feed.expected, feed.closed) for feed in known) if known else True


def _expected(site: Site, feeds: Sequence[str]) -> bool:
    known = [site.catalog.feeds[name] for name in feeds if name in site.catalog.feeds]
    return any(feed.expected.kind != "never" for feed in known) if known else True
