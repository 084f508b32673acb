"""An order that is delivered again with fewer lines has lost its other lines. The lines and the orders then still
agree.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asset_checks.ecommerce import TABLES
from asset_checks.primitives import control_totals
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation, Verdict
from tests.asset_checks.warehouse import shipped
from tests.dbt.shop import Row, Shop, day, item, order

MODELS = ("fact_orders", "fact_order_items", "int_delivered_days", "daily_revenue")
Delivery = tuple[int, dict[int, list[int]]]
"""The number of the file's day, and order → prices of its lines."""


def lines(number: int, prices: list[int]) -> list[Row]:
    return [item(number, line, 1, price=str(price)) for line, price in enumerate(prices, start=1)]


def revenue(shop: Shop) -> dict[str, Decimal]:
    return dict(
        shop.ask("select order_id, sum(line_amount_in_order_currency) from silver.fact_order_items group by all")
    )


def control_total(shop: Shop) -> Verdict:
    """The message of the check about the hop from bronze."""
    spec = TableSpec(
        schema="silver", table="fact_order_items", date_column="business_date", **TABLES["silver.fact_order_items"]
    )
    with shop.connect() as connection:
        situation = Situation(connection, shop.clock, "run", shipped(), "America/New_York")
        return control_totals.evaluate(situation, spec, spec.control_totals[0])


def test_a_line_that_is_no_longer_delivered_is_gone(shop: Shop) -> None:
    shop.land("orders", day(0), [order(1, 1), order(2, 1)])
    shop.land("order_items", day(0), [*lines(1, [10, 20, 40]), *lines(2, [5])])
    shop.build(*MODELS)
    shop.land("orders", day(0), [order(1, 1, updated_at="2026-01-02 09:00:00")], file_date=day(1))
    shop.land("order_items", day(0), lines(1, [10]), file_date=day(1))
    shop.build(*MODELS)
    assert revenue(shop) == {"O1": 10, "O2": 5}
    assert shop.ask("select gross_revenue from gold.daily_revenue") == [(15,)]
    assert control_total(shop).status == "ok"
    with shop.connect() as connection:
        connection.execute("delete from silver.fact_order_items where order_id = 'O2'")
    assert control_total(shop).status == "failed"


def test_a_corrected_file_without_the_order_brings_the_earlier_lines_back(shop: Shop) -> None:
    shop.land("order_items", day(0), lines(1, [10, 20]))
    shop.land("order_items", day(0), lines(1, [10]), file_date=day(1))
    shop.build(*MODELS[:2])
    assert revenue(shop) == {"O1": 10}
    with shop.connect() as connection:
        connection.execute("delete from bronze.order_items where _load_seq = 2")
        connection.execute("insert into ops.touched_dates values ('order_items', ?, 3)", [day(0)])
    shop.build(*MODELS[:2])
    assert revenue(shop) == {"O1": 30}


def test_a_file_that_comes_late_does_not_undo_what_a_later_one_says(shop: Shop) -> None:
    shop.land("order_items", day(0), lines(1, [10, 20]), file_date=day(2))
    shop.land("order_items", day(0), lines(1, [70, 80, 90]), file_date=day(1))
    shop.build(*MODELS[:2])
    assert revenue(shop) == {"O1": 30}


def test_a_contract_that_does_not_say_so_keeps_each_line(shop: Shop) -> None:
    shop.contract("order_items", replaces_by="")
    shop.land("order_items", day(0), lines(1, [10, 20]))
    shop.land("order_items", day(0), lines(1, [11]), file_date=day(1))
    shop.build(*MODELS[:2])
    assert revenue(shop) == {"O1": 31}


orders_of_a_file = st.dictionaries(st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1)
deliveries = st.lists(st.tuples(st.integers(0, 3), orders_of_a_file), min_size=1, max_size=6)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(deliveries, st.integers(1, 3))
def test_the_revenue_of_the_lines_is_the_revenue_of_the_orders(
    tmp_path_factory, deliveries: list[Delivery], every: int
) -> None:
    """The two are equal for every order of files, every number of redeliveries, and every split into builds."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    truth: dict[str, tuple[tuple[int, int], int]] = {}
    for position, (file_day, orders) in enumerate(deliveries):
        shop.land("orders", day(0), [order(number, 1) for number in orders], file_date=day(file_day))
        shop.land(
            "order_items",
            day(0),
            [line for number, prices in orders.items() for line in lines(number, prices)],
            file_date=day(file_day),
        )
        for number, prices in orders.items():
            said = ((file_day, position), sum(prices))
            truth[f"O{number}"] = max(truth.get(f"O{number}", said), said)
        if position % every == 0:
            shop.build(*MODELS)
    shop.build(*MODELS)
    assert revenue(shop) == {name: total for name, (_, total) in truth.items()}
    assert shop.ask("select sum(gross_revenue) from gold.daily_revenue") == [(sum(t for _, t in truth.values()),)]
