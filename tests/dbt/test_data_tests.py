"""Our generic tests find what they are for, in the rows of the last build and against the rows before."""

from __future__ import annotations

import pytest

from tests.dbt.shop import Shop, day, item, order


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("tested"))
    shop.land_day(0, 1)
    shop.build()
    return shop


def test_a_key_of_an_earlier_build_is_found_and_later_forgiven(shop: Shop) -> None:
    shop.land("orders", day(2), [order(1, 1)])  # O1 was an order of day 0
    result = shop.build("fact_orders", command="build")
    assert result.failed_tests == ("primary_key_fact_orders_order_id__True",)
    shop.land("orders", day(2), [], replaces=True)
    assert not shop.build("fact_orders", command="build").failed_tests


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
    assert not result.failed_tests
    assert shop.ask("select customer_id, is_sale from silver.fact_order_items where order_id = 'O777'") == [
        (None, False)
    ]
