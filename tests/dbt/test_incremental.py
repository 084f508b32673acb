"""An incremental build gives the same as one complete build, even if files came late, twice, corrected or not at all."""

from __future__ import annotations

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from tests.dbt.conftest import DAYS
from tests.dbt.shop import Row, Shop, customer, day, order, ordinary_day


def test_any_order_of_arrival_gives_the_same_tables(shop: Shop, built_at_once: Shop) -> None:
    first_wrong: list[Row] = [customer(n, "Wrong") for n in range(9)]
    shop.land("customers", day(4), first_wrong)
    shop.land("order_items", day(2), ordinary_day(2)["order_items"])  # order lines that come before their orders
    shop.build()
    for number in (7, 2, 0):
        for feed, rows in ordinary_day(number).items():
            if (feed, number) != ("order_items", 2):
                shop.land(feed, day(number), rows)
    wrong_orders = [*ordinary_day(5)["orders"], order(9999, 1)]
    shop.land("orders", day(5), wrong_orders)
    shop.land("web_events", day(20), ordinary_day(20)["web_events"])  # a date that should never have existed
    shop.build()
    for number in range(DAYS - 1, -1, -1):
        if number not in (7, 2, 0):
            for feed, rows in ordinary_day(number).items():
                shop.land(feed, day(number), rows, replaces=(feed, number) in {("customers", 4), ("orders", 5)})
    shop.build()
    shop.land("web_events", day(20), [], replaces=True)
    shop.build()
    assert shop.tables() == built_at_once.tables()


def test_a_later_delivery_of_an_order_rebuilds_its_day(shop: Shop) -> None:
    shop.land_day(0)
    shop.build()
    before = shop.ask("select undone_orders, net_revenue from gold.daily_revenue")
    shop.land("orders", day(0), [order(1, 1, "returned")])
    shop.build()
    after = shop.ask("select undone_orders, net_revenue from gold.daily_revenue")
    assert after[0][0] == before[0][0] + 1
    assert after[0][1] < before[0][1]


def test_a_day_that_lost_its_rows_vanishes(shop: Shop) -> None:
    shop.land_day(0, 1)
    shop.build()
    for feed in ("orders", "order_items"):
        shop.land(feed, day(0), [], replaces=True)
    shop.build()
    assert shop.ask("select order_date, trading_days_7d from gold.daily_revenue") == [(day(1), 1)]


def test_a_model_built_ahead_of_its_parents_catches_up(shop: Shop) -> None:
    shop.land_day(0)
    shop.build()
    shop.land_day(1)
    shop.build("daily_revenue")
    assert shop.ask("select count(*) from gold.daily_revenue") == [(1,)]
    shop.build()
    assert shop.ask("select count(*) from gold.daily_revenue") == [(2,)]


def test_nothing_new_rewrites_no_row(shop: Shop) -> None:
    shop.land_day(0)
    shop.build()
    stamps = "select distinct dbt_updated_at from silver.fact_orders union all from (select built_at from ops.builds where model = 'fact_orders')"
    before = shop.ask(stamps)
    shop.build()
    assert shop.ask(stamps) == before
    assert len(set(before)) == 1


def test_the_window_rebuilds_what_nobody_touched(shop: Shop) -> None:
    shop.land_day(0, 1, 2)
    shop.build()
    good = shop.tables()
    with shop.connect() as connection:
        connection.execute("delete from silver.fact_orders where business_date = ?", [day(1)])
        connection.execute("update silver.fact_order_items set net_amount = 0")
        connection.execute("update silver.dim_customers set city = 'Nowhere' where valid_from >= ?", [day(1)])
    shop.build(rebuild=(day(0), day(2)))
    assert shop.tables() == good


def test_a_table_that_is_read_beside_its_new_rows_says_how_it_is_rebuilt(shop: Shop) -> None:
    """A union of old and new rows has the wider type. The comparison after the build used to see no difference."""
    shop.land_day(0)
    shop.ask("create schema if not exists silver")
    shop.ask(
        "create table silver.dim_products as "
        "select * replace (1 as brand), business_date::varchar as valid_from, business_date as valid_to "
        "from bronze.products"
    )
    said = r"another type brand \(.*\), valid_from \(DATE\)\); `ops run --rebuild silver.dim_products`"
    with pytest.raises(AssertionError, match=said):
        shop.build("dim_products")


def test_every_rewind_model_compares_its_types_before_its_rows_are_joined_to_those_that_it_holds() -> None:
    found = dbt_manifest.load().json
    rewound = [node for node in found["nodes"].values() if node["config"].get("incremental_strategy") == "rewind"]
    assert len(rewound) > 3
    for node in rewound:
        macros = set(node["depends_on"]["macros"])
        macros |= {inner for name in macros for inner in found["macros"][name]["depends_on"]["macros"]}
        assert "macro.ops_project.require_types_of" in macros, node["name"]
