"""The dbt project's own laws: grain and key, documented columns, owners that exist, sources as the contracts say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.landing.write.tables import bronze_types
from ops_project.settings import DBT_PROJECT_DIR, Settings

DOMAINS = ("ecommerce",)
SOURCES = DBT_PROJECT_DIR / "models" / "ecommerce" / "bronze" / "sources.yml"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return dbt_manifest.load().json


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["meta"].get("domain") in DOMAINS
    ]


def test_every_model_has_a_grain_and_a_tested_key(manifest: dict[str, Any]) -> None:
    keyed = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in ("primary_key", "unique")
    }
    lacking = [node["name"] for node in models(manifest) if node["unique_id"] not in keyed or not node["description"]]
    assert not lacking


def test_every_column_has_a_type_and_a_description(manifest: dict[str, Any]) -> None:
    lacking = [
        f"{node['name']}.{column['name']}"
        for node in models(manifest)
        for column in node["columns"].values()
        if not column["data_type"] or not column["description"]
    ]
    assert not lacking
    assert not [node["name"] for node in models(manifest) if not node["columns"]]


def test_no_description_is_cut_off_at_a_comma() -> None:
    """Within braces a comma ends a value that is not quoted, and the rest of the text becomes a key without a value."""
    columns = [
        yaml.safe_load(line.strip().removeprefix("- "))
        for path in (DBT_PROJECT_DIR / "models").rglob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("- {name: ")
    ]
    assert columns
    assert not [column for column in columns if None in column.values()]


def test_gold_keeps_its_contract(manifest: dict[str, Any]) -> None:
    gold = [node for node in models(manifest) if node["schema"] == "gold"]
    assert gold
    assert not [node["name"] for node in gold if not node["config"]["contract"]["enforced"]]


def test_schemas_layers_and_meta_resolve(manifest: dict[str, Any]) -> None:
    known = catalog.load(Settings.load(environ={}))
    for node in models(manifest):
        meta = node["config"]["meta"]
        assert node["schema"] in ("bronze", "silver", "gold"), node["name"]
        assert meta["layer"] == node["schema"], node["name"]
        assert meta["domain"] in known.domains.domains, node["name"]
        assert meta["freshness"] in known.freshness.policies, node["name"]
        assert meta["dagster"]["group"] == f"{meta['domain']}_{node['schema']}", node["name"]
        assert known.runbook_file(meta["runbook"]) is not None, node["name"]
        for owner in meta["dagster"]["owners"]:
            team = owner.removeprefix("team:")
            assert team in known.owners.teams if team != owner else owner in known.owners.people, node["name"]


def test_models_built_by_dates_name_feeds_that_exist(manifest: dict[str, Any]) -> None:
    known = catalog.load(Settings.load(environ={})).feeds
    for node in models(manifest):
        if node["config"].get("incremental_strategy") in ("touched_dates", "rewind"):
            feeds = node["config"]["meta"].get("feeds")
            assert feeds, node["name"]
            assert set(feeds) <= set(known), node["name"]


def test_sources_are_typed_as_the_contracts_say() -> None:
    feeds = catalog.load(Settings.load(environ={})).feeds
    tables = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"][0]["tables"]
    for table in tables:
        said = {column["name"]: column["data_type"].upper().replace(" ", "") for column in table["columns"]}
        is_so = {name: kind.upper().replace(" ", "") for name, kind in bronze_types(feeds[table["name"]]).items()}
        assert said == is_so, table["name"]
    assert {table["name"] for table in tables} == {feed.name for feed in feeds.values() if feed.domain == "ecommerce"}
