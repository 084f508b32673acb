"""Makes the Dagster definitions of a whole domain from its feeds and its dbt models: assets, checks, jobs, schedule.
The code that all domains share is here. A domain that has only a feeds file gets all of it without Python code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ops_project.defs.shared.bronze import SCHEMA as BRONZE
from ops_project.defs.shared.bronze import bronze_assets
from ops_project.defs.shared.jobs import LONG_SECONDS, Job, job_definition
from ops_project.defs.shared.own_checks import own_checks
from ops_project.defs.shared.quality import layer_checks
from ops_project.defs.shared.schedules import Schedule, schedule_definition
from ops_project.defs.shared.site import Site
from ops_project.defs.shared.transforms import dbt_layer
from ops_project.defs.shared.translator import Translator


@dataclass(frozen=True)
class Layer:
    """One dbt selection of a domain. It becomes a step that builds it and a step that checks it. The order of the
    layers is the order of the steps.
    """

    name: str
    select: str
    """The selection in dbt's syntax, for example `ecommerce.silver`."""


def layers_of(manifest: Mapping[str, Any], domain: str) -> list[Layer]:
    """The layers of a domain without a Python package. The models of one schema form one layer."""
    folders: dict[str, set[str]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and len(node["fqn"]) > 3 and node["fqn"][1] == domain:
            folders.setdefault(node["schema"], set()).add(node["fqn"][2])
    return [
        Layer(schema, " ".join(f"{domain}.{folder}" for folder in sorted(folders[schema])))
        for schema in sorted(folders, key=lambda schema: (SCHEMAS.index(schema) if schema in SCHEMAS else 9, schema))
    ]


SCHEMAS = ("silver", "gold")


def build_domain(
    site: Site,
    domain: str,
    *,
    layers: Sequence[Layer] = (),
    jobs: Sequence[Job] = (),
    schedules: Sequence[Schedule] = (),
    assets: Iterable[dg.AssetsDefinition] = (),
    sensors: Iterable[dg.SensorDefinition] = (),
) -> dg.Definitions:
    """All Dagster definitions of a domain.

    `assets`: assets and checks that are neither landed nor built by dbt. They belong to the main job.

    `jobs`: the domain's jobs. If the main job is not among them, it is added with all layers. The name of the main job
    is `main_job` in domains.yaml, or else `<domain>_pipeline`.
    """
    translator = Translator(site)
    by_layer: dict[str, list[dg.AssetsDefinition]] = {BRONZE: bronze_assets(site, domain)}
    for layer in layers:
        built = dbt_layer(site, translator, name=f"{domain}_{layer.name}", select=layer.select)
        by_layer[layer.name] = [built] if built is not None else []
    checks: dict[str, list[dg.AssetChecksDefinition]] = {}
    for name, built_assets in by_layer.items():
        keys = [key for item in built_assets for key in item.keys]
        made = (layer_checks(site, domain, name, keys), own_checks(site, domain, name, keys))
        checks[name] = [item for item in made if item is not None]
    extra = list(assets)
    selections = {name: _select([*items, *checks[name]]) for name, items in by_layer.items()}
    all_checks = [item for items in checks.values() for item in items]
    more_checks = [item for item in extra if isinstance(item, dg.AssetChecksDefinition)]
    # These tables are neither landed nor built by dbt.
    extra_keys = [key for item in extra if item not in more_checks for key in item.keys]
    if (found := own_checks(site, domain, "extra", extra_keys)) is not None:
        all_checks.append(found)
    everything = _select([item for items in by_layer.values() for item in items] + all_checks + extra)
    main = site.catalog.domains.main_job(domain)
    wanted = list(jobs)
    if main not in {job.name for job in wanted}:
        title = site.catalog.domain(domain).title
        wanted.append(Job(main, f"{title}: everything, from landing to published gold.", timeout_seconds=LONG_SECONDS))
    definitions = [
        job_definition(job, domain, _selection(job, selections, everything))
        for job in wanted
        if any(by_layer.values()) or extra
    ]
    by_name = {job.name: job for job in definitions}
    file = site.catalog.feed_files.get(domain)
    if file is not None and file.schedule and main in by_name:
        started = Schedule(main, file.schedule, f"{site.catalog.domain(domain).title}, as its feeds file says.")
        schedules = [*(item for item in schedules if item.job != main), started]
    _register_blocking(site, [*(item for items in by_layer.values() for item in items), *all_checks, *extra])
    return dg.Definitions(
        assets=[*(item for items in by_layer.values() for item in items), *(a for a in extra if a not in more_checks)],
        asset_checks=[*all_checks, *more_checks],
        jobs=definitions,
        schedules=[schedule_definition(site, domain, schedule, by_name[schedule.job]) for schedule in schedules],
        sensors=list(sensors),
    )


def _selection(job: Job, selections: dict[str, dg.AssetSelection], everything: dg.AssetSelection) -> dg.AssetSelection:
    chosen = everything
    if job.layers:
        chosen = selections[job.layers[0]]
        for name in job.layers[1:]:
            chosen = chosen | selections[name]
    if job.checks_only:
        return chosen - chosen.without_checks()
    return chosen


def _select(items: Sequence[dg.AssetsDefinition]) -> dg.AssetSelection:
    keys = [key for item in items for key in item.keys]
    checks = [key for item in items for key in item.check_keys]
    return dg.AssetSelection.assets(*keys).without_checks() | dg.AssetSelection.checks(*checks)


def _register_blocking(site: Site, items: Iterable[dg.AssetsDefinition]) -> None:
    site.blocking.update(
        (tuple(spec.asset_key.path), spec.name) for item in items for spec in item.check_specs if spec.blocking
    )
