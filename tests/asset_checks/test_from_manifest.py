"""The checks use what a model's dbt tests declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from asset_checks import ecommerce
from asset_checks.from_manifest import table_specs
from asset_checks.specs import Reference, TableSpec
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest


@pytest.fixture(scope="module")
def specs() -> Mapping[str, TableSpec]:
    manifest = dbt_manifest.load().json

    def ecommerce_models(node: Mapping[str, Any]) -> bool:
        return bool(node["fqn"][1] == "ecommerce")

    return {spec.name: spec for spec in table_specs(manifest, ecommerce_models)}


def test_keys_required_columns_rules_and_references_come_from_the_tests(specs: Mapping[str, TableSpec]) -> None:
    orders = specs["silver.fact_orders"]
    assert orders.key == ("order_id",)
    assert {"order_id", "status", "currency", "ordered_at"} <= set(orders.required)
    assert Reference(("customer_id",), "silver.dim_customers", ("customer_id",)) in orders.references
    assert orders.valid_when["status is allowed"].startswith("\"status\" in ('placed', 'paid'")
    assert specs["gold.daily_revenue"].valid_when["trading_days_7d in range"] == (
        '"trading_days_7d" >= 1 and "trading_days_7d" <= 7'
    )


def test_event_tables_are_scored_by_date_and_dimensions_whole(specs: Mapping[str, TableSpec]) -> None:
    assert specs["silver.fact_web_events"].date_column == "business_date"
    assert specs["gold.daily_revenue"].date_column == "order_date"
    assert specs["silver.dim_customers"].date_column is None
    assert specs["silver.dim_customers"].personal == ("first_name", "last_name", "email", "phone")


def test_feeds_are_those_named_or_all_above(specs: Mapping[str, TableSpec]) -> None:
    assert specs["silver.fact_orders"].feeds == ("orders", "exchange_rates")
    assert set(specs["gold.customer_metrics"].feeds) == {
        "customers",
        "orders",
        "order_items",
        "exchange_rates",
        "web_events",
    }


def test_every_model_has_a_key_and_something_to_score(specs: Mapping[str, TableSpec]) -> None:
    assert [name for name, spec in specs.items() if not spec.key or not spec.required] == []


def test_the_domain_adds_only_to_tables_that_exist(specs: Mapping[str, TableSpec]) -> None:
    assert set(ecommerce.TABLES) <= set(specs)


def test_a_ghost_record_is_no_row_of_a_satellite() -> None:
    found = table_specs(dbt_manifest.load().json, lambda node: bool(node["name"] == "sat_customer_profile"))
    assert [spec.real_rows for spec in found] == ["record_source <> 'ghost'"]
