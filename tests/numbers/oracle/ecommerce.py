"""The shop's figures, from the files of its six feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.anomalies import anomalies
from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import Table, ratio

Figures = dict[str, Any]
REPORTING_CURRENCY = variable("reporting_currency")
# What the contract of the rates says: on how many days after its own a rate may be used.
VALID_DAYS = 7


@dataclass(frozen=True)
class Line:
    """A line of an order in its present state, on the day of its order."""

    order: str
    product: str
    customer: str | None
    day: date
    quantity: Decimal
    amount: Decimal | None
    """In the reporting currency, like `net`; None where no rate is known, or no order."""
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
        """No file of orders, or none of order lines, has come of this day."""
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


def tables(archive: Archive) -> dict[str, Table]:
    shop = shop_of(archive)
    days = daily_revenue(shop)
    return {
        "daily_revenue": Table(("order_date",), days),
        "customer_metrics": customer_metrics(shop),
        "product_performance": product_performance(shop),
        "executive_summary": executive_summary(shop, days),
        "data_anomalies": anomalies(
            {day: (row["total_orders"], row["gross_revenue"]) for (day,), row in days.items() if not shop.missing(day)}
        ),
        "fact_exchange_rates": exchange_rates(Rates.of(archive)),
        "rec_unconverted_orders": unconverted_orders(shop, Rates.of(archive)),
    }


def exchange_rates(rates: Rates) -> Table:
    rows = {
        (currency, day): {
            "exchange_rate": row.number("rate"),
            "published_at": row.moment("published_at"),
            "business_date": day,
        }
        for (currency, day), row in rates.published.items()
    }
    return Table(("currency", "rate_date"), rows, schema="silver")


def unconverted_orders(shop: Shop, rates: Rates) -> Table:
    """By currency."""
    unknown: dict[str, list[date]] = {}
    for row in shop.orders.values():
        if rates.on(row.known("currency"), row.day("order_date")) is None:
            unknown.setdefault(row.known("currency"), []).append(row.day("order_date"))
    rows = {
        (currency,): {
            "reporting_currency": REPORTING_CURRENCY,
            "orders": len(days),
            "days": len(set(days)),
            "first_date": min(days),
            "last_date": max(days),
            "newest_rate_date": max((day for of, day in rates.published if of == currency), default=None),
        }
        for currency, days in unknown.items()
    }
    return Table(("currency",), rows, schema="silver")


@dataclass(frozen=True)
class Rates:
    """The value of one unit of a currency, by currency and day."""

    published: Mapping[tuple[str, date], Row]

    @classmethod
    def of(cls, archive: Archive) -> Rates:
        rows = archive.rows("exchange_rates")
        return cls(newest(rows, lambda row: (row.known("currency"), row.day("rate_date")), "published_at"))

    def on(self, currency: str, day: date) -> Decimal | None:
        """The rate of the day, or else the newest one that is still valid."""
        if currency == REPORTING_CURRENCY:
            return Decimal(1)
        held = ((currency, day - timedelta(days=back)) for back in range(VALID_DAYS + 1))
        return next((self.published[place].number("rate") for place in held if place in self.published), None)


def converted(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return None if rate is None else (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def order_lines(archive: Archive, orders: Mapping[str, Row], rates: Rates) -> list[Line]:
    """A file that has an order has all of its lines; of several such files the newest counts."""
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
    """Orders, and those of them that were cancelled or returned as a whole."""
    found = [row for row in shop.orders.values() if wanted(row)]
    return len(found), sum(row.known("status") in ("cancelled", "returned") for row in found)


def sums(lines: list[Line]) -> Figures:
    """A line without a rate makes both amounts unknown. A line without an order is in no amount."""
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


def daily_revenue(shop: Shop) -> dict[tuple[Any, ...], Figures]:
    found: dict[tuple[Any, ...], Figures] = {}
    days = {row.day("order_date") for row in shop.orders.values()} | {line.day for line in shop.lines}
    for day in days:
        lines = [line for line in shop.lines if line.day == day]
        orders, undone = order_counts(shop, lambda row, day=day: row.day("order_date") == day)  # type: ignore[misc]  # mypy cannot type a lambda with a default
        figures = sums(lines)
        units = figures.pop("units")
        found[day,] = {
            **figures,
            "total_orders": orders,
            "undone_orders": undone,
            "customers": len({line.customer for line in shop.sales(lines)}),
            "sales_lines": len(shop.sales(lines)),
            "units_sold": units,
            "unconverted_lines": sum(line.is_unconverted for line in lines),
            "unmatched_lines": sum(not line.has_order for line in lines),
            "average_order_value": ratio(figures["gross_revenue"], figures["sales_orders"]),
        }
    for (day,), figures in found.items():
        week = [found[on,] for number in range(7) if (on := day - timedelta(days=number)) and (on,) in found]
        traded = [
            found[on,]["gross_revenue"]
            for number in range(7)
            if (on := day - timedelta(days=number)) and (on,) in found and not shop.missing(on)
        ]
        assert week
        figures["trading_days_7d"] = len(traded) or None
        figures["revenue_7d_avg"] = ratio(total(traded), len(traded))
    return found


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
    """For each customer and day: orders, undone ones, orders with a sale, their revenue, and views of products."""
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


def views(events: list[Row]) -> Figures:
    return {
        "product_views": sum(row.known("event_type") == "product_view" for row in events),
        "cart_additions": sum(row.known("event_type") == "add_to_cart" for row in events),
    }


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


def executive_summary(shop: Shop, days: Mapping[tuple[Any, ...], Figures]) -> Table:
    known = sorted(day for (day,) in days if day <= shop.archive.today)
    rows: dict[tuple[Any, ...], Figures] = {}
    if not known:
        return Table(("period",), rows)
    last = known[-1]
    for period, length in (("last_7_days", 7), ("last_30_days", 30), ("all_time", None)):
        first = last - timedelta(days=length - 1) if length else known[0]
        now = added(days, first, last)
        before: Figures = {}
        if length:
            begins = first - timedelta(days=length)
            covered = [begins + timedelta(days=number) for number in range(2 * length)]
            if begins >= shop.first_day and not any(shop.missing(day) for day in covered):
                before = added(days, begins, first - timedelta(days=1))
        buyers = {line.customer for line in shop.sales(shop.lines) if first <= line.day <= last}
        rows[period,] = {
            "period_start": first,
            "data_through": last,
            "trading_days": sum(first <= day <= last for day in known),
            "active_customers": len(buyers),
            "reporting_currency": REPORTING_CURRENCY,
            **{
                name: now[name]
                for name in ("total_orders", "undone_orders", "units_sold", "gross_revenue", "net_revenue")
            },
            "average_order_value": ratio(now["gross_revenue"], now["sales_orders"]),
            "previous_gross_revenue": before.get("gross_revenue"),
            "revenue_growth": growth(now, before, "gross_revenue"),
            "orders_growth": growth(now, before, "total_orders"),
        }
    return Table(("period",), rows)


def added(days: Mapping[tuple[Any, ...], Figures], first: date, last: date) -> Figures:
    """The figures of several days together; {} where none of them has data."""
    chosen = [figures for (day,), figures in days.items() if first <= day <= last]
    names = ("total_orders", "undone_orders", "sales_orders", "units_sold", "gross_revenue", "net_revenue")
    return {name: total(figures[name] for figures in chosen) for name in names} if chosen else {}


def growth(now: Figures, before: Figures, name: str) -> Fraction | None:
    if not before or now[name] is None or before[name] is None:
        return None
    return ratio(now[name] - before[name], before[name])
