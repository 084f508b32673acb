"""The newest state of each order, line and event in the files, and the figures that several tables count from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.ecommerce.rates import REPORTING_CURRENCY, Rates, converted

Figures = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A line of an order in its present state, on the day of its order."""

    order: str
    product: str
    customer: str | None
    day: date
    quantity: Decimal
    amount: Decimal | None
    """In the reporting currency, like `net`; None if no rate is known, or no order."""
    net: Decimal | None
    is_sale: bool
    has_order: bool

    @property
    def is_unconverted(self) -> bool:
        return self.has_order and self.amount is None


@dataclass(frozen=True)
class Shop:
    """The present content of the files: the newest row of each order, line and event."""

    orders: Mapping[str, Row]
    lines: list[Line]
    events: list[Row]
    archive: Archive

    def state(self, feed: str, column: str) -> dict[str, Row]:
        """For each customer or product, the newest extract that contains it, because an entry that an extract lacks
        is kept.
        """
        return newest(self.archive.rows(feed), lambda row: row.known(column))

    def missing(self, day: date) -> bool:
        """Whether no file of orders, or no file of order lines, has come for this day."""
        return day not in self.archive.days("orders") & self.archive.days("order_items")

    @property
    def first_day(self) -> date:
        return min(self.archive.days("orders") | self.archive.days("order_items"))

    def sales(self, lines: Iterable[Line]) -> list[Line]:
        return [line for line in lines if line.is_sale]


def shop_of(archive: Archive) -> Shop:
    orders = newest(archive.rows("orders"), lambda row: row.known("order_id"), "updated_at")
    events = list(newest(archive.rows("web_events"), lambda row: row.known("event_id")).values())
    return Shop(orders, order_lines(archive, orders, Rates.of(archive)), events, archive)


def order_lines(archive: Archive, orders: Mapping[str, Row], rates: Rates) -> list[Line]:
    """The lines of all orders. A file with an order contains all lines of the order; if several files contain the
    order, the newest file counts.
    """
    by_order: dict[str, list[Row]] = {}
    for row in archive.rows("order_items"):
        by_order.setdefault(row.known("order_id"), []).append(row)
    found = []
    for name, rows in by_order.items():
        file = max((row.file for row in rows), key=lambda file: file.place)
        found += [line(row, orders.get(name), rates) for row in rows if row.file == file]
    return found


def line(row: Row, order: Row | None, rates: Rates) -> Line:
    quantity, price = row.number("quantity"), row.number("unit_price")
    customer = order.text("customer_id") if order else None
    is_undone = order is not None and order.known("status") in ("cancelled", "returned")
    amount = quantity * price
    rate = rates.on(order.known("currency"), order.day("order_date")) if order else None
    earned = Decimal(0) if is_undone and quantity > 0 else amount - Decimal(row.text("discount_amount") or 0)
    return Line(
        order=row.known("order_id"),
        product=row.known("product_id"),
        customer=customer,
        day=(order or row).day("order_date"),
        quantity=quantity,
        amount=converted(amount, rate),
        net=converted(earned, rate),
        is_sale=quantity > 0 and price > 0 and customer is not None,
        has_order=order is not None,
    )


def order_counts(shop: Shop, wanted: Callable[[Row], bool]) -> tuple[int, int]:
    """The number of orders, and the number of orders that were cancelled or returned as a whole."""
    found = [row for row in shop.orders.values() if wanted(row)]
    return len(found), sum(row.known("status") in ("cancelled", "returned") for row in found)


def sums(lines: list[Line]) -> Figures:
    """The totals of these lines. A line without a rate makes both amounts unknown. A line without an order is in no
    amount.
    """
    sales = [line for line in lines if line.is_sale]
    known = not any(line.is_unconverted for line in lines)
    return {
        "sales_orders": len({line.order for line in sales}),
        "units": sum(line.quantity for line in sales),
        "gross_revenue": total(line.amount for line in sales if line.has_order) if known else None,
        "net_revenue": total(line.net for line in lines if line.has_order) if known else None,
        "reporting_currency": REPORTING_CURRENCY,
    }


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The total; unknown if one of the amounts is unknown."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(found) else None


def views(events: list[Row]) -> Figures:
    return {
        "product_views": sum(row.known("event_type") == "product_view" for row in events),
        "cart_additions": sum(row.known("event_type") == "add_to_cart" for row in events),
    }
