"""If a home is from before there were exchange rates, tables are built anew if necessary, and their figures stay the
same.
"""

from __future__ import annotations

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing.write.tables import ensure_tables
from tests.dbt.shop import FEEDS, Shop

ADDED = {
    "silver.fact_orders": "exchange_rate exchange_rate_date discount_amount_in_order_currency"
    " shipping_amount_in_order_currency tax_amount_in_order_currency",
    "silver.fact_order_items": "currency exchange_rate unit_price_in_order_currency discount_amount_in_order_currency"
    " line_amount_in_order_currency net_amount_in_order_currency",
    "silver.int_customer_days": "unconverted_lines",
    "silver.int_product_days": "unconverted_lines",
    "gold.daily_revenue": "reporting_currency unconverted_lines unmatched_lines",
}
NARROWER = {
    "silver.fact_orders": {"discount_amount": 2, "shipping_amount": 2, "tax_amount": 2},
    "silver.fact_order_items": {"unit_price": 4, "discount_amount": 2},
}


def as_it_was(shop: Shop) -> None:
    """The tables as the earlier version made them."""
    with shop.connect() as connection:
        for table, columns in ADDED.items():
            for column in columns.split():
                connection.execute(f"alter table {table} drop column {column}")
        for table, types in NARROWER.items():
            for column, scale in types.items():
                connection.execute(f"alter table {table} alter {column} type decimal(12, {scale})")
        connection.execute("drop table silver.fact_exchange_rates; drop table silver.rec_unconverted_orders")
        connection.execute(
            "drop table bronze.exchange_rates; drop table ops.build_currencies; drop table ops.valid_days"
        )
        connection.execute("delete from ops.builds where model in ('fact_exchange_rates', 'rec_unconverted_orders')")


@pytest.mark.soak
def test_a_run_builds_its_tables_anew_without_help(shop: Shop) -> None:
    shop.land_day(0, 1)
    shop.build()
    before = shop.tables()
    as_it_was(shop)
    with shop.connect() as connection:
        ensure_tables(connection, [shop.feeds[name] for name in FEEDS if name != "exchange_rates"])
    with shop.settings.exported():
        invocation = dbt_runner.build(
            dbt_manifest.load(), shop.settings, select=["tag:ecommerce"], as_of=shop.clock, command="run"
        )
        for _ in invocation:
            pass
    assert invocation.result.errors == ()
    assert shop.tables() == before
