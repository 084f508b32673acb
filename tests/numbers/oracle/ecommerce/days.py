"""Revenue by day, and the periods that the management looks at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.ecommerce.rates import REPORTING_CURRENCY
from tests.numbers.oracle.ecommerce.shop import Figures, Shop, order_counts, sums, total


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
    """The figures of several days together; {} if none of the days has data."""
    chosen = [figures for (day,), figures in days.items() if first <= day <= last]
    names = ("total_orders", "undone_orders", "sales_orders", "units_sold", "gross_revenue", "net_revenue")
    return {name: total(figures[name] for figures in chosen) for name in names} if chosen else {}


def growth(now: Figures, before: Figures, name: str) -> Fraction | None:
    if not before or now[name] is None or before[name] is None:
        return None
    return ratio(now[name] - before[name], before[name])
