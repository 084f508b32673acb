"""Faults within the warehouse and the serving store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ops_project.catalog import Catalog
from ops_project.failures import classify
from ops_project.pipeline.serving import Item, open_store
from ops_project.pipeline.serving.store import Throttled
from ops_project.simulator import simulate
from ops_project.simulator.faults.registry import resolve
from ops_project.simulator.faults.request import FaultError, Request
from ops_project.simulator.faults.serving import exhaust
from ops_project.simulator.faults.warehouse import tamper
from tests.simulator.conftest import NOW, home


@pytest.fixture
def policies() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA silver")
        for table in ("ods_policies", "fact_policies"):
            connection.execute(
                f"""CREATE TABLE silver.{table} AS SELECT 'POL' || n AS policy_id, 'motor' AS product, 'north' AS region,
                (800 + n)::DECIMAL(12, 2) AS premium, 'active' AS policy_status, DATE '2026-03-12' AS business_date
                FROM range(20) AS t(n)"""
            )
        yield connection


@pytest.mark.parametrize(
    ("fault", "table", "differing", "total"),
    [
        ("premium_changed_ods", "ods_policies", 3, 1500),
        ("premium_changed_fact", "fact_policies", 3, 1500),
        ("offsetting_errors", "fact_policies", 2, 0),
    ],
)
def test_warehouse_faults_change_what_they_say(
    fault: str, table: str, differing: int, total: int, policies: duckdb.DuckDBPyConnection, catalog: Catalog
) -> None:
    policies.execute(f"CREATE TABLE before AS FROM silver.{table}")
    tamper(policies, resolve(Request(fault), catalog))
    found = policies.execute(
        f"SELECT count(*) FILTER (a.premium <> b.premium), sum(a.premium - b.premium) "
        f"FROM silver.{table} a JOIN before b USING (policy_id)"
    ).fetchone()
    assert found == (differing, total)


def test_policies_lost_and_duplicated(policies: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    tamper(policies, resolve(Request("policies_lost"), catalog))
    assert policies.execute("SELECT count(*) FROM silver.fact_policies").fetchone() == (17,)
    tamper(policies, resolve(Request("policies_duplicated"), catalog))
    assert policies.execute("SELECT count(*), count(DISTINCT policy_id) FROM silver.fact_policies").fetchone() == (
        19,
        17,
    )


def test_the_vault_faults_change_what_a_mapping_and_a_360_need(catalog: Catalog) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE SCHEMA silver; CREATE TABLE silver.sat_customer_profile AS SELECT i AS customer_hk, 'US' AS country, "
            "DATE '2020-01-01' AS created_date, false AS is_deleted, TIMESTAMP '2026-01-01' AS load_datetime "
            "FROM range(100) AS r (i); "
            "CREATE VIEW silver.sat_customer_profile_current AS FROM silver.sat_customer_profile"
        )

        def counts() -> tuple[int, int] | None:
            return connection.execute(
                "SELECT count(country), count(date_diff('day', created_date, DATE '2026-01-01')) "
                "FROM silver.sat_customer_profile"
            ).fetchone()

        tamper(connection, resolve(Request("mapping_broken"), catalog))
        assert counts() == (60, 100)
        tamper(connection, resolve(Request("mart_build_broken"), catalog))
        assert counts() == (60, 99)
        tamper(connection, resolve(Request("interface_build_broken"), catalog))
        assert counts() == (0, 99)


def test_an_exhausted_serving_store_refuses_and_recovers(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, faults=["serving_throttled"])
    store = open_store(settings, "listening-kpis")
    item = Item("day", "2026-03-12", {"listens": 1})
    try:
        store._pause = lambda _seconds: None
        with pytest.raises(Throttled, match="ThrottlingException") as refused:
            store.replace("2026-03-12", [item])
        assert classify(refused.value).failure_class == "resource_exhausted"
        exhaust(tmp_path / "serving/listening-kpis.db", NOW - timedelta(days=3650))
        assert store.replace("2026-03-12", [item]).written == 1
    finally:
        store.close()


def test_warehouse_faults_need_a_warehouse(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="no warehouse yet; run the pipeline first"):
        simulate(home(tmp_path), faults=["offsetting_errors"])
    assert not (tmp_path / "inbound").exists(), "nothing is delivered for a fault that lies elsewhere"


def test_shuffled_inputs_keep_the_totals_of_the_table_that_the_model_reads(catalog: Catalog) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """CREATE SCHEMA silver; CREATE TABLE silver.int_customer_days AS
            SELECT 'C' || n AS customer_id, DATE '2026-03-12' AS business_date, 0 AS orders, 0 AS undone_orders,
            0 AS sales_orders, 0 AS units, 0 AS gross_revenue, 0 AS net_revenue, 0 AS unconverted_lines, n AS web_events,
            n AS product_views, 0 AS cart_additions, now() AS dbt_updated_at FROM range(1, 30) AS t(n)
            UNION ALL SELECT 'C1', DATE '2026-03-13', 0, 0, 0, 0, 0, 0, 0, 5, 5, 0, now()"""
        )
        views = "SELECT sum(product_views), sum(web_events) FROM silver.int_customer_days"
        mine = "SELECT customer_id, product_views FROM silver.int_customer_days WHERE product_views > 0 ORDER BY 1"
        totals, before = connection.execute(views).fetchall(), connection.execute(mine).fetchall()
        fault = resolve(Request("model_input_shuffled"), catalog)
        assert fault.asset == "gold/customer_churn_predictions", "found where the model is read"
        tamper(connection, fault)
        assert connection.execute(views).fetchall() == totals
        assert connection.execute(mine).fetchall() != before
