"""Our generic tests find their faults in the rows of the last build and in comparison with the rows before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.dbt.shop import Shop, day, item, order

KEY_OF_ORDERS = "primary_key_fact_orders_order_id__True"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("tested"))
    shop.land_day(0, 1)
    shop.build()
    return shop


def test_a_violated_key_stays_red_until_it_is_mended(shop: Shop) -> None:
    """Builds of other days do not make the test pass, and neither does a build that writes nothing."""
    with shop.connect() as connection:
        connection.execute("insert into silver.fact_orders from (from silver.fact_orders where order_id = 'O1')")
        connection.execute(
            "update silver.fact_orders set dbt_updated_at = ? where order_id = 'O1'",
            [shop.clock.replace(tzinfo=None) + timedelta(minutes=30)],
        )
    for number in (5, 6):
        shop.land("orders", day(number), [order(number * 1000, 1)])
        assert shop.build("fact_orders", command="build").failed_tests == (KEY_OF_ORDERS,)
    assert shop.build("fact_orders", command="test").failed_tests == (KEY_OF_ORDERS,)
    shop.build("fact_orders", rebuild=(day(0), day(0)))
    assert not shop.build("fact_orders", command="test").failed_tests


def test_a_replay_of_the_past_is_tested_too(shop: Shop) -> None:
    """The rows of a replay carry a time that the test has already passed."""
    assert not shop.build("fact_orders", command="build").failed_tests
    now, shop.clock = shop.clock, datetime(2026, 2, 1, tzinfo=UTC)
    try:
        shop.land("orders", day(8), [order(8000, 1, "paid"), order(8001, 1, "paid")])
        shop.build("fact_orders")
        with shop.connect() as connection:
            connection.execute("update silver.fact_orders set order_id = 'O8000' where order_id = 'O8001'")
        assert shop.build("fact_orders", command="test").failed_tests == (KEY_OF_ORDERS,)
        shop.land("orders", day(8), [], replaces=True)
        assert not shop.build("fact_orders", command="build").failed_tests
    finally:
        shop.clock = now


def test_what_is_wrong_in_the_rows_written_is_found(shop: Shop) -> None:
    with shop.connect() as connection:
        connection.execute("update silver.fact_order_items set line_amount = line_amount + 0.0001, net_amount = null")
        connection.execute(
            "insert into silver.dim_customers select * replace (null as valid_to) from silver.dim_customers"
        )
        connection.execute("update gold.customer_metrics set gross_revenue = gross_revenue * 2")
        connection.execute("update gold.product_performance set gross_margin = 1.5")
    failed = " ".join(shop.build(command="test").failed_tests)
    for expected in (
        "fact_order_items_line_amount_is_quantity_times_price",
        "required_fact_order_items",
        "no_overlap_dim_customers_customer_id",
        "primary_key_dim_customers_version_id",
        "same_total_customer_metrics_gross_revenue",
        "in_range_product_performance_gross_margin",
    ):
        assert expected in failed


def test_orphans_warn_and_do_not_block(shop: Shop) -> None:
    shop.land("order_items", day(3), [item(777, 1, 1)])
    result = shop.build("fact_order_items", command="build")
    assert not [name for name in result.failed_tests if "relationships" in name]
    assert shop.ask("select customer_id, is_sale from silver.fact_order_items where order_id = 'O777'") == [
        (None, False)
    ]
