"""Consumers read the present content of the warehouse, even after a model with unchanged code was built from
nothing.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine.by_dates import built_by_dates
from ops_project.pipeline.warehouse import fingerprints, publishing, snapshots
from ops_project.pipeline.warehouse.connection import Warehouse, writer
from ops_project.pipeline.warehouse.publishing import PublishDecision
from tests.dbt.shop import Shop

Rows = list[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def _every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "WHOLE_BELOW_ROWS", 1)


@pytest.fixture
def published_wrong(shop: Shop) -> Shop:
    """Two days are built. Then the revenue is wrong, in the table and in the published file alike."""
    shop.land_day(0, 1)
    shop.build()
    shop.ask("update gold.daily_revenue set net_revenue = 0")
    shop.ask("update silver.fact_orders set status = 'wrong'")
    with _held(shop) as warehouse:
        assert _publish(shop, warehouse) == _revenue(shop)
    return shop


def _held(shop: Shop) -> Any:
    return writer(shop.settings, catalog.load(shop.settings).platform, owner="test", now=shop.clock)


def _publish(shop: Shop, warehouse: Warehouse) -> Rows:
    """End a run. Returns the published rows of the table."""
    models = built_by_dates(dbt_manifest.load().json)
    assert "gold.daily_revenue" in models
    stamp: dict[str, Any] = {"run_id": f"run-{shop.clock:%H}", "as_of": shop.clock, "commit": "c0ffee"}
    taken = snapshots.take(warehouse, models=models, **stamp)
    publication = publishing.publish(
        warehouse,
        domain="ecommerce",
        verdicts={"daily_revenue": PublishDecision(passed=True, reason="")},
        fingerprints=taken.tables,
        **stamp,
    )
    file = publication.folder / publication.manifest["tables"]["daily_revenue"]["file"]
    return duckdb.sql(f"SELECT * FROM '{file}' ORDER BY ALL").fetchall()


def _revenue(shop: Shop) -> Rows:
    return shop.ask("select * from gold.daily_revenue order by all")


def test_a_model_that_a_run_built_from_nothing_is_published_as_it_is_now(published_wrong: Shop) -> None:
    """A run builds a model from nothing with `ops run --rebuild`, and after a change of the reporting currency."""
    wrong = _revenue(published_wrong)
    with _held(published_wrong) as warehouse:
        published_wrong.build("fact_orders", "daily_revenue", from_nothing=("fact_orders", "daily_revenue"))
        assert not warehouse.changed_unseen
        assert _publish(published_wrong, warehouse) == _revenue(published_wrong) != wrong
        # Revenue has no business date and is always compared as a whole. Orders are compared by their dates.
        orders = snapshots.newest(published_wrong.settings).tables["silver.fact_orders"]
        assert orders.parts
        assert orders == fingerprints.fingerprint(warehouse.connection(), "silver.fact_orders", orders.columns)


def test_a_model_that_somebody_built_from_nothing_outside_of_a_run_is_published_as_it_is_now(
    published_wrong: Shop,
) -> None:
    wrong = _revenue(published_wrong)
    published_wrong.build("daily_revenue", from_nothing=("daily_revenue",))
    with _held(published_wrong) as warehouse:
        assert _publish(published_wrong, warehouse) == _revenue(published_wrong) != wrong
