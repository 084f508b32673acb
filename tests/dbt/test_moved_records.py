"""A record that comes again with another date leaves the old date, and returns to it when the file that moved it is
corrected.
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.dbt.shop import Shop, day, event, item, order

MODELS = ("fact_orders", "fact_order_items", "int_delivered_days", "daily_revenue")
Days = dict[date, tuple[int, int]]


def revenue(shop: Shop) -> Days:
    """Date → orders and gross revenue."""
    shop.build(*MODELS)
    rows = shop.ask("select order_date, total_orders, gross_revenue from gold.daily_revenue order by all")
    return {on: (orders, int(gross)) for on, orders, gross in rows}


def deliver(shop: Shop, number: int, on: date, file: date, *, items: bool = True, price: str = "10") -> None:
    """The order with one line, dated `on`, in the files of `file`."""
    changed = f"{file} 09:00:00"
    shop.land("orders", on, [order(number, 1, updated_at=changed)], file_date=file)
    if items:
        shop.land("order_items", on, [item(number, 1, 1, price=price)], file_date=file)


@pytest.mark.parametrize("other", [1, 3])
def test_an_order_that_changes_its_date_counts_once_on_the_new_one(shop: Shop, other: int) -> None:
    deliver(shop, 1, day(2), day(2))
    deliver(shop, 2, day(2), day(2), price="7")
    assert revenue(shop) == {day(2): (2, 17)}
    deliver(shop, 1, day(other), day(3))
    assert revenue(shop) == {day(2): (1, 7), day(other): (1, 10)}
    assert not shop.build(*MODELS, command="build").failed_tests


def test_an_order_that_moves_without_its_lines_takes_them_along(shop: Shop) -> None:
    deliver(shop, 1, day(2), day(2))
    revenue(shop)
    deliver(shop, 1, day(4), day(3), items=False)
    assert revenue(shop) == {day(4): (1, 10)}
    deliver(shop, 2, day(4), day(4), price="5")
    assert revenue(shop) == {day(4): (2, 15)}
    shop.land("order_items", day(2), [item(1, 1, 1, price="30")], file_date=day(5))
    assert revenue(shop) == {day(4): (2, 35)}


def test_a_corrected_file_without_the_order_brings_it_back(shop: Shop) -> None:
    deliver(shop, 1, day(2), day(2))
    deliver(shop, 1, day(4), day(3))
    assert revenue(shop) == {day(4): (1, 10)}
    for feed in ("orders", "order_items"):
        shop.land(feed, day(4), [], file_date=day(3), replaces=True)
    assert revenue(shop) == {day(2): (1, 10)}


def test_lines_without_their_order_leave_their_own_date_when_the_order_comes_with_another(shop: Shop) -> None:
    lines = "select order_date, currency from silver.fact_order_items order by all"
    shop.land("order_items", day(2), [item(1, 1, 1, price="10")], file_date=day(2))
    deliver(shop, 2, day(2), day(2), price="7")
    revenue(shop)
    assert shop.ask(lines) == [(day(2), "USD"), (day(2), None)]
    deliver(shop, 1, day(4), day(3), items=False)
    assert revenue(shop) == {day(2): (1, 7), day(4): (1, 10)}
    assert shop.ask(lines) == [(day(2), "USD"), (day(4), "USD")]
    # The file is corrected and has no longer the order, so the line counts on its own date again.
    shop.land("orders", day(4), [], file_date=day(3), replaces=True)
    revenue(shop)
    assert shop.ask(lines) == [(day(2), "USD"), (day(2), None)]


def test_an_event_that_changes_its_date_counts_once(shop: Shop) -> None:
    shop.land("web_events", day(0), [event(1, "page_view", 1)])
    shop.build()
    shop.land("web_events", day(1), [event(1, "page_view", 1)])
    shop.build()
    assert shop.ask("select business_date, web_events from silver.int_customer_days") == [(day(1), 1)]
