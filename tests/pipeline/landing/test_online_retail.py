"""60 real days of a retailer, mapped to the five e-commerce feeds by contracts alone: every total, every dirty line."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from ops_project import catalog
from ops_project.pipeline import landing
from ops_project.settings import PROJECT_ROOT, Settings

DATA = PROJECT_ROOT.parent / "shared" / "realdata" / "online_retail"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the retailer's files do not stand beside the project")


@pytest.fixture(scope="module")
def retail(tmp_path_factory):
    home = tmp_path_factory.mktemp("retail")
    inbound = home / "inbound" / "ecommerce"
    inbound.mkdir(parents=True)
    for path in sorted(DATA.glob("2*.csv"))[:60]:
        shutil.copy(path, inbound / path.name)
    feeds = catalog.load(Settings.load(home=home, overlay=PROJECT_ROOT / "examples" / "online_retail")).feeds_of(
        "ecommerce"
    )
    with duckdb.connect() as connection:
        landing.ensure_tables(connection, feeds)
        results = {
            feed.name: landing.land(
                connection,
                feed,
                inbound=home / "inbound",
                archive=home / "archive",
                now=datetime(2011, 2, 19, 12, tzinfo=UTC),
            )
            for feed in feeds
        }
        yield connection, results, inbound


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple:
    return connection.execute(sql).fetchall()[0]


def test_lines_invoices_codes_customers_and_revenue(retail):
    connection, _, _ = retail
    assert one(
        connection, "SELECT count(*), count(DISTINCT order_id), count(DISTINCT product_id) FROM bronze.order_items"
    ) == (
        95_054,
        4_461,
        3_130,
    )
    assert one(connection, "SELECT sum(quantity * unit_price)::DECIMAL(18,2) FROM bronze.order_items") == (
        Decimal("1642617.43"),
    )
    assert one(
        connection, "SELECT count(*), count(DISTINCT order_id), count(DISTINCT customer_id) FROM bronze.orders"
    ) == (
        4_461,
        4_461,
        1_610,
    )
    assert one(connection, "SELECT count(DISTINCT customer_id) FROM bronze.customers") == (1_610,)
    assert one(connection, "SELECT count(DISTINCT product_id) FROM bronze.products") == (3_130,)


def test_sales_with_quantity_price_and_customer(retail):
    connection, _, _ = retail
    assert one(
        connection,
        """
        SELECT count(*), count(DISTINCT order_id), count(DISTINCT customer_id), sum(quantity * unit_price)::DECIMAL(18,2)
        FROM bronze.order_items JOIN bronze.orders USING (order_id)
        WHERE quantity > 0 AND unit_price > 0 AND customer_id IS NOT NULL
        """,
    ) == (59_681, 3_040, 1_539, Decimal("1433877.21"))


def test_every_dirty_line_is_accounted_for(retail):
    connection, results, _ = retail
    items = "FROM bronze.order_items JOIN bronze.orders USING (order_id)"
    assert one(connection, f"SELECT count(*) {items} WHERE customer_id IS NULL") == (33_643,)
    assert one(connection, f"SELECT count(*) {items} WHERE status = 'cancelled'") == (1_789,)
    assert one(connection, "SELECT count(*) FROM bronze.order_items WHERE quantity < 0") == (1_994,)
    assert one(connection, "SELECT count(*) FROM bronze.order_items WHERE unit_price = 0") == (478,)
    assert one(connection, "SELECT count(*) FROM bronze.orders WHERE customer_id LIKE '%.%'") == (0,)
    for name, result in results.items():
        parts = (result.rows_loaded, result.rows_quarantined, result.rows_filtered, result.rows_collapsed)
        assert result.rows_in == sum(parts) == (0 if name == "web_events" else 95_054)
        assert result.rows_quarantined == 0
    assert results["customers"].rows_filtered == 33_643
    assert results["order_items"].rows_loaded == 95_054
    assert (results["orders"].rows_loaded, results["orders"].rows_collapsed) == (4_461, 95_054 - 4_461)


def test_sixty_files_of_four_feeds_without_a_finding(retail):
    _, results, inbound = retail
    assert {name: result.files for name, result in results.items()} == {
        "customers": {"loaded": 60},
        "products": {"loaded": 60},
        "orders": {"loaded": 60},
        "order_items": {"loaded": 60},
        "web_events": {},
    }
    assert [finding for result in results.values() for finding in result.findings] == []
    assert list(Path(inbound).iterdir()) == []
