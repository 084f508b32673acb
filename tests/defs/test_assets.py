from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg

from ops_project.dagster_bridge.asset_graph import lineage_of, lineage_of_repository
from ops_project.defs.shared.site import Site
from ops_project.pipeline.column_lineage.declared import of_python
from ops_project.settings import PROJECT_ROOT

MARKETING = {"marketing_ldz", "marketing_rdv", "marketing_interface", "marketing_360"}


def materializable(graph) -> list:
    return [graph.get(key) for key in graph.materializable_asset_keys]


def test_every_asset_has_an_owner_who_exists(graph, site: Site) -> None:
    unowned = [node.key.to_user_string() for node in materializable(graph) if not node.owners]
    assert not unowned
    nobody = {
        owner for node in materializable(graph) for owner in node.owners if site.catalog.owners.resolve(owner) is None
    }
    assert not nobody


def test_nothing_in_the_graph_is_without_a_definition(graph) -> None:
    """A dependency without a definition would appear in the lineage as a box without owner, group or checks."""
    assert graph.all_asset_keys if hasattr(graph, "all_asset_keys") else True
    assert set(graph.get_all_asset_keys()) == set(graph.materializable_asset_keys)


def test_every_asset_says_where_it_stands(graph, site: Site, definitions: dg.Definitions) -> None:
    pipelines = {job.name for job in definitions.get_repository_def().get_all_jobs()}
    for node in materializable(graph):
        schema, table = node.key.path
        assert node.tags["layer"] == schema, node.key
        assert node.tags["domain"] in site.catalog.domain_ids(), node.key
        assert node.tags["tier"] in {"1", "2", "3"}, node.key
        # If a pipeline has an owner of its own, it has a group of its own. Marketing names its layers in its own words.
        groups = {f"{node.tags['domain']}_{schema}", *pipelines} if node.tags["domain"] != "marketing" else MARKETING
        assert node.group_name in groups, node.key
        if schema in {"bronze", "silver", "gold"}:  # Registered models and serving stores are assets, but not tables.
            assert "duckdb" in node.kinds and schema in node.kinds, node.key
            assert node.metadata["dagster/table_name"] == f"{schema}.{table}"
            assert node.metadata.get("dagster/code_references"), node.key
        assert node.description, node.key


def test_ecommerce_has_freshness_schema_and_lineage(graph) -> None:
    ours = [n for n in materializable(graph) if n.tags["domain"] == "ecommerce" and n.key.path[0] != "models"]
    nodes = {tuple(n.key.path): n for n in ours}
    assert {schema for schema, _ in nodes} == {"bronze", "silver", "gold"}
    for key, node in nodes.items():
        assert node.freshness_policy is not None, key
        assert node.metadata.get("dagster/column_schema"), key
    lineage = nodes["silver", "fact_orders"].metadata["dagster/column_lineage"]
    sources = {(dep.asset_key.path[-1], dep.column_name) for dep in lineage.deps_by_column["order_id"]}
    assert ("orders", "order_id") in sources


def test_columns_know_where_they_come_from(site: Site) -> None:
    """The definitions show the origin of the columns of every model of every domain."""
    models = [n for n in site.dbt.json["nodes"].values() if n["resource_type"] == "model"]
    assert {f"{n['schema']}/{n['name']}" for n in models} <= site.columns.columns.keys()
    assert not site.columns.unknown_columns()


def test_python_assets_declare_columns_of_the_tables_that_they_read(graph) -> None:
    for asset in {column.asset for column in of_python()}:
        origins = [origin for column, origin in of_python().items() if column.asset == asset]
        node = graph.get(dg.AssetKey(asset.split("/")))
        read = {"/".join(key.path) for key in node.parent_keys}
        assert {parent.asset for origin in origins for parent in origin.parents} <= read, asset


def test_facts_and_event_feeds_are_partitioned_and_nothing_else_of_ecommerce(graph) -> None:
    daily = {n.key.path[-1] for n in materializable(graph) if n.partitions_def and n.tags["domain"] == "ecommerce"}
    facts = {"fact_orders", "fact_order_items", "fact_exchange_rates", "fact_web_events"}
    assert daily == {"orders", "order_items", "exchange_rates", "web_events"} | facts


def test_a_blocking_score_stands_between_the_layers(graph) -> None:
    for table in ("bronze/orders", "silver/fact_orders"):
        keys = graph.get_check_keys_for_assets({dg.AssetKey(table.split("/"))})
        assert any(graph.get(key).blocking for key in keys if key.name == "quality_score_critical")


def test_the_code_location_imports_quickly(tmp_path: Path) -> None:
    """This is not a measurement. It fails if a data-science library is imported at load time."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import ops_project.definitions"],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        env={**os.environ, "OPS_HOME": str(tmp_path)},
        check=True,
    )
    loaded = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "ops_project.definitions" in loaded or "dagster" in loaded
    assert not loaded & {"sklearn", "mlflow", "boto3", "pandas", "scipy", "pyarrow.dataset"}


def test_a_table_names_the_consumers_that_read_it(definitions: dg.Definitions) -> None:
    lineage = lineage_of(definitions)
    assert lineage.get("gold/daily_revenue").exposures == (
        "Executive report (Business Team)",
        "Operational dashboard (Data Engineering)",
    )
    assert lineage.get("bronze/orders").exposures == ()


def test_the_owners_of_jobs_do_not_depend_on_whether_the_jobs_are_made(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    found = lineage_of_repository(repository)
    assert lineage_of(definitions) == found
    assert {"master_pipeline", "insurance_pipeline", "model_retraining"} <= found.implied.keys()
