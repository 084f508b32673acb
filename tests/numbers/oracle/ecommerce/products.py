"""What each product earned."""

from __future__ import annotations

from typing import Any

from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.ecommerce.shop import Figures, Shop, sums, views


def product_performance(shop: Shop) -> Table:
    states = shop.state("products", "product_id")
    names = {*states, *(line.product for line in shop.lines), *(row.text("product_id") for row in shop.events)} - {None}
    rows: dict[tuple[Any, ...], Figures] = {}
    for name in names:
        lines = [line for line in shop.lines if line.product == name]
        sold_on = [line.day for line in shop.sales(lines)]
        seen = views([row for row in shop.events if row.text("product_id") == name])
        figures = sums(lines)
        gross, units = figures["gross_revenue"], figures["units"]
        state = states.get(str(name))
        cost = state.number("unit_cost") if state and state.text("unit_cost") else None
        texts = {
            column: state and state.text(column) for column in ("product_name", "category", "subcategory", "brand")
        }
        rows[name,] = {
            **texts,
            **figures,
            **seen,
            "list_price": state.number("list_price") if state and state.text("list_price") else None,
            "unit_cost": cost,
            "is_active": state.known("is_active") == "true" if state and state.text("is_active") else None,
            "units_sold": units,
            "units_returned": -sum(line.quantity for line in lines if line.quantity < 0),
            "average_selling_price": ratio(gross, units),
            "gross_margin": None if cost is None or gross is None else ratio(gross - units * cost, gross),
            "cart_rate": ratio(seen["cart_additions"], seen["product_views"]),
            "first_sold_date": min(sold_on, default=None),
            "last_sold_date": max(sold_on, default=None),
        }
    revenues = [row["gross_revenue"] for row in rows.values()]
    for row in rows.values():
        mine = row["gross_revenue"]
        higher = sum(mine is not None and other is not None and other > mine for other in revenues)
        row["revenue_rank"] = 1 + higher if mine is not None and mine > 0 else None
    return Table(("product_id",), rows)
