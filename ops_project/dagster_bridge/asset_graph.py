"""The asset graph as plain values, so that alerting needs no Dagster to know what lies upstream of what."""

from __future__ import annotations

import dagster as dg

from ops_project.lineage import AssetFacts, Lineage


def asset_name(key: dg.AssetKey) -> str:
    """The text of a key: gold/daily_revenue for AssetKey(["gold", "daily_revenue"])."""
    return "/".join(key.path)


def lineage_of(definitions: dg.Definitions) -> Lineage:
    """Facts about every asset, and every job and sensor. External upstream assets without facts are left out."""
    return lineage_of_repository(definitions.get_repository_def())


def lineage_of_repository(repository: dg.RepositoryDefinition) -> Lineage:
    """The lineage of a loaded code location."""
    graph = repository.asset_graph
    facts = []
    checks: dict[dg.AssetKey, list[str]] = {}
    for check in graph.asset_check_keys:
        checks.setdefault(check.asset_key, []).append(check.name)
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        metadata = node.metadata or {}
        runbook = metadata.get("runbook")
        facts.append(
            AssetFacts(
                key=asset_name(key),
                upstream=tuple(sorted(asset_name(parent) for parent in node.parent_keys)),
                owners=tuple(node.owners or ()),
                domain=node.tags.get("domain", ""),
                layer=node.tags.get("layer", ""),
                tier=node.tags.get("tier", ""),
                group=node.group_name or "",
                runbook=str(getattr(runbook, "value", runbook) or ""),
                exposures=tuple(
                    sorted(str(item) for item in (getattr(metadata.get("exposures"), "value", None) or ()))
                ),
                checks=tuple(sorted(checks.get(key, ()))),
                freshness=node.freshness_policy_or_from_metadata is not None,
            )
        )
    return Lineage.of(facts, repository.job_names, (sensor.name for sensor in repository.sensor_defs))
