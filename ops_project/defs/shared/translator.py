"""Turns a dbt node into a Dagster asset. Each method gives one attribute of the asset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from ops_project.column_lineage import ROWS, Column
from ops_project.model.freshness import FreshnessPolicy

if TYPE_CHECKING:
    from ops_project.defs.shared.site import Site

CODE_REFERENCES = "dagster/code_references"
PARTITIONED_PREFIX = "fact_"


class Translator(DagsterDbtTranslator):
    """The key of an asset is [schema, table]. Other attributes come from the model's meta, or else from the domain."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._readers = readers_of(site.dbt.json)

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], table_of(dbt_resource_props)])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "source":
            return None
        named = meta_of(dbt_resource_props).get("dagster", {}).get("group")
        return named or f"{domain_of(dbt_resource_props)}_{dbt_resource_props['schema']}"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str] | None:
        if dbt_resource_props["resource_type"] == "source":
            return None
        named = meta_of(dbt_resource_props).get("dagster", {}).get("owners")
        names = named or self._site.catalog.domain(domain_of(dbt_resource_props)).owners
        path = self._site.dbt.project_dir / dbt_resource_props["original_file_path"]
        return self._site.owners(tuple(names), named_in=path)

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> dict[str, str]:
        if dbt_resource_props["resource_type"] == "source":
            return {}
        return {
            "domain": domain_of(dbt_resource_props),
            "layer": dbt_resource_props["schema"],
            "tier": str(self.tier(dbt_resource_props)),
        }

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        # The code reference and dbt docs show the SQL. If the description contained the SQL as well, it would be hard
        # to read.
        return (
            dbt_resource_props.get("description")
            or f"dbt {dbt_resource_props['resource_type']} {dbt_resource_props['name']}"
        )

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> dict[str, Any]:
        metadata = dict(super().get_metadata(dbt_resource_props))
        if dbt_resource_props["resource_type"] == "source":
            return metadata
        metadata["dagster/table_name"] = f"{dbt_resource_props['schema']}.{table_of(dbt_resource_props)}"
        runbook = self.runbook(dbt_resource_props)
        if runbook:
            metadata["runbook"] = dg.MetadataValue.text(runbook)
        readers = self._readers.get(dbt_resource_props["unique_id"], ())
        if readers:
            metadata["exposures"] = dg.MetadataValue.json(sorted(f"{who['name']} ({who['owner']})" for who in readers))
        lineage = self._lineage(dbt_resource_props)
        if lineage:
            metadata["dagster/column_lineage"] = lineage
        path = self._site.dbt.project_dir / dbt_resource_props["original_file_path"]
        metadata[CODE_REFERENCES] = dg.CodeReferencesMetadataValue(
            code_references=[dg.LocalFileCodeReference(file_path=str(path), line_number=1)]
        )
        return metadata

    def get_partitions_def(self, dbt_resource_props: Mapping[str, Any]) -> dg.PartitionsDefinition | None:
        said = meta_of(dbt_resource_props).get("partitions")
        daily = said == "daily" if said else table_of(dbt_resource_props).startswith(PARTITIONED_PREFIX)
        incremental = dbt_resource_props.get("config", {}).get("materialized") == "incremental"
        return self._site.partitions if daily and incremental else None

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        if "ops/done" in spec.metadata:
            return spec
        props = self.get_resource_props(manifest, unique_id)
        if props["resource_type"] == "source":
            return spec
        spec = spec.replace_attributes(
            # Landing's journal is not built by a step, so it is not a dependency.
            deps=[dep for dep in spec.deps if dep.asset_key.path[0] != "ops"],
            kinds={"dbt", "duckdb", props["schema"]},
            freshness_policy=self.freshness(props),
        )
        self._resolved_specs[(id(manifest), unique_id, id(project))] = spec.merge_attributes(
            metadata={"ops/done": True}
        )
        return self._resolved_specs[(id(manifest), unique_id, id(project))]

    def tier(self, props: Mapping[str, Any]) -> int:
        """The tier of the model, from 1 to 3; if it has none, the tier of the domain."""
        return int(meta_of(props).get("tier") or self._site.catalog.domain(domain_of(props)).tier)

    def runbook(self, props: Mapping[str, Any]) -> str | None:
        """The slug of the model's runbook; if it has none, the slug of the domain's runbook."""
        return meta_of(props).get("runbook") or self._site.catalog.domain(domain_of(props)).runbook

    def freshness(self, props: Mapping[str, Any]) -> dg.FreshnessPolicy | None:
        """The freshness policy that the model names; if it names none, that of its layer."""
        return freshness_policy(self._site, domain_of(props), props["schema"], meta_of(props).get("freshness"))

    def _lineage(self, props: Mapping[str, Any]) -> dg.TableColumnLineage | None:
        asset = f"{props['schema']}/{table_of(props)}"
        lineage = self._site.columns
        deps = {
            name: [
                dg.TableColumnDep(asset_key=dg.AssetKey(parent.asset.split("/")), column_name=parent.name)
                for parent in lineage.origin(Column(asset, name)).parents
                if parent.name != ROWS
            ]
            for name in lineage.columns.get(asset, ())
        }
        return dg.TableColumnLineage(deps_by_column=deps) if deps else None


def freshness_policy(site: Site, domain: str, layer: str, name: str | None = None) -> dg.FreshnessPolicy | None:
    """Dagster's freshness policy for a table; None if there is none.

    `name`: the name of a policy. If no policy has this name, the domain's policy for the layer is used. If the domain
    has none, the policy of the layer is used.
    """
    freshness = site.catalog.freshness
    chosen = name if name in freshness.policies else None
    chosen = chosen or site.catalog.domain(domain).freshness.get(layer) or freshness.layers.get(layer)
    policy: FreshnessPolicy | None = freshness.policies.get(chosen) if chosen else None
    if policy is None:
        return None
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=policy.fail_hours),
        warn_window=None if policy.warn_hours is None else timedelta(hours=policy.warn_hours),
    )


def readers_of(manifest: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """dbt node → its consumers. A consumer is a dbt exposure that depends on the node, with its owner."""
    readers: dict[str, list[Mapping[str, Any]]] = {}
    for exposure in manifest.get("exposures", {}).values():
        owner = exposure.get("owner", {})
        who = {
            "name": exposure.get("label") or exposure["name"],
            "owner": owner.get("name") or owner.get("email") or "unknown",
            "email": owner.get("email"),
        }
        for parent in exposure["depends_on"]["nodes"]:
            readers.setdefault(parent, []).append(who)
    return readers


def meta_of(props: Mapping[str, Any]) -> Mapping[str, Any]:
    """`config.meta` of a dbt node."""
    return props.get("config", {}).get("meta") or props.get("meta") or {}


def domain_of(props: Mapping[str, Any]) -> str:
    """The domain of a dbt node: from its meta, or else its first folder below models/."""
    return str(meta_of(props).get("domain") or props["fqn"][1])


def table_of(props: Mapping[str, Any]) -> str:
    """The table's name: the identifier of a source, or the alias of a model."""
    return str(props.get("identifier") or props.get("alias") or props["name"])
