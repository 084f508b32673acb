"""What each customer ordered and viewed, in total and by day."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.ecommerce.shop import Shop, order_counts, sums, views


def customer_metrics(shop: Shop) -> Table:
    states = shop.state("customers", "customer_id")
    ordered = {row.text("customer_id") for row in shop.orders.values()}
    names = {*states, *ordered, *(row.text("customer_id") for row in shop.events)} - {None}
    rows = {}
    for name in names:
        lines = [line for line in shop.lines if line.customer == name]
        sold_on = [line.day for line in shop.sales(lines)]
        orders, undone = order_counts(shop, lambda row, name=name: row.text("customer_id") == name)  # type: ignore[misc]  # as above
        seen = [row for row in shop.events if row.text("customer_id") == name]
        figures = sums(lines)
        state = states.get(str(name))
        rows[name,] = {
            **figures,
            "country": state and state.text("country"),
            "loyalty_tier": state and state.text("loyalty_tier"),
            "signup_date": state.day("signup_date") if state and state.text("signup_date") else None,
            "total_orders": orders,
            "undone_orders": undone,
            "units_bought": figures["units"],
            "average_order_value": ratio(figures["gross_revenue"], figures["sales_orders"]),
            "undone_order_share": ratio(undone, orders),
            "first_order_date": min(sold_on, default=None),
            "last_order_date": max(sold_on, default=None),
            "days_since_last_order": (shop.archive.today - max(sold_on)).days if sold_on else None,
            "last_seen_date": max((row.day("event_date") for row in seen), default=None),
            "web_events": len(seen),
            **views(seen),
        }
    return Table(("customer_id",), rows)


def customer_days(shop: Shop) -> dict[tuple[str, date], tuple[Any, ...]]:
    """For each customer and day: orders, orders that were undone, orders with a sale, their revenue, and views of
    products.
    """
    days = {(row.text("customer_id"), row.day("order_date")) for row in shop.orders.values()}
    days |= {(row.text("customer_id"), row.day("event_date")) for row in shop.events}
    days |= {(line.customer, line.day) for line in shop.lines}
    found: dict[tuple[str, date], tuple[Any, ...]] = {}
    for who, day in days:
        if who is not None:
            heads = [
                row for row in shop.orders.values() if (row.text("customer_id"), row.day("order_date")) == (who, day)
            ]
            undone = sum(row.known("status") in ("cancelled", "returned") for row in heads)
            lines = [line for line in shop.lines if (line.customer, line.day) == (who, day)]
            sold = shop.sales(lines)
            seen = [row for row in shop.events if (row.text("customer_id"), row.day("event_date")) == (who, day)]
            revenue = sums(lines)["gross_revenue"]
            orders = len({line.order for line in sold})
            found[who, day] = (len(heads), undone, orders, revenue, views(seen)["product_views"])
    return found
