"""The asset graph as plain values, so that alerting knows the upstream tables of a table without Dagster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.definitions.utils import DEFAULT_GROUP_NAME

from ops_project.lineage import AssetFacts, Lineage


def asset_name(key: dg.AssetKey) -> str:
    """The text of a key: gold/daily_revenue for AssetKey(["gold", "daily_revenue"])."""
    return "/".join(key.path)


def _group(name: str | None) -> str:
    """The group as a domain. Dagster puts an asset without a group into the group `default`, which says nothing."""
    return "" if name in (None, DEFAULT_GROUP_NAME) else str(name)


def lineage_of(definitions: dg.Definitions) -> Lineage:
    """Facts about every asset, and every job and sensor. External upstream assets without facts are left out."""
    # Making every job costs a third of a second of each run, and the owners of a job need only its selection.
    selected = {job.name: job for job in definitions.jobs or () if isinstance(job, UnresolvedAssetJobDefinition)}
    return lineage_of_repository(definitions.get_repository_def(), selected)


def lineage_of_repository(
    repository: dg.RepositoryDefinition, selected: Mapping[str, UnresolvedAssetJobDefinition] | None = None
) -> Lineage:
    """The lineage of a loaded code location. `selected`: those of its jobs that are known as a selection of assets."""
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
                domain=node.tags.get("domain") or _group(node.group_name),
                layer=node.tags.get("layer", ""),
                tier=node.tags.get("tier", ""),
                group=node.group_name or "",
                runbook=str(getattr(runbook, "value", runbook) or ""),
                exposures=tuple(
                    sorted(str(item) for item in (getattr(metadata.get("exposures"), "value", None) or ()))
                ),
                checks=tuple(sorted(checks.get(key, ()))),
                freshness=node.freshness_policy_or_from_metadata is not None,
                external=not node.is_materializable,
            )
        )
    stated, implied = _owners(repository, selected or {}, {fact.key: fact.owners for fact in facts})
    return Lineage.of(
        facts,
        repository.job_names,
        (sensor.name for sensor in repository.sensor_defs),
        stated=stated,
        implied=implied,
    )


Owned = dict[str, tuple[str, ...]]


def _owners(
    repository: dg.RepositoryDefinition,
    selected: Mapping[str, UnresolvedAssetJobDefinition],
    of_assets: Mapping[str, Sequence[str]],
) -> tuple[Owned, Owned]:
    """(the owners that jobs, schedules and sensors name, the owners of the assets that they build). A schedule or
    sensor that names no owner has the owners of its job.
    """
    stated: Owned = {}
    implied: Owned = {}
    jobs = sorted(repository.job_names)
    for name in jobs:
        job = selected.get(name) or repository.get_job(name)
        if isinstance(job, UnresolvedAssetJobDefinition):
            keys = job.selection.resolve(repository.asset_graph)
        else:
            keys = job.asset_layer.selected_asset_keys
        built = sorted(asset_name(key) for key in keys)
        stated[name] = tuple(job.owners or ())
        implied[name] = tuple(dict.fromkeys(owner for asset in built for owner in of_assets.get(asset, ())))
    for schedule in repository.schedule_defs:
        runs = [schedule.job_name] if schedule.job_name in jobs else []
        stated[schedule.name] = tuple(schedule.owners or ()) or _together(stated, runs)
        implied[schedule.name] = _together(implied, runs)
    for sensor in repository.sensor_defs:
        runs = [target.job_name for target in sensor.targets if target.job_name in jobs]
        stated[sensor.name] = tuple(sensor.owners or ()) or _together(stated, runs)
        implied[sensor.name] = _together(implied, runs)
    return {name: found for name, found in stated.items() if found}, {k: found for k, found in implied.items() if found}


def _together(owners: Owned, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(owner for name in names for owner in owners[name]))
