"""The shop's figures, from the files of its six feeds."""

from __future__ import annotations

from datetime import date

from tests.numbers.oracle.anomalies import anomalies
from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table
from tests.numbers.oracle.ecommerce.customers import customer_days, customer_metrics
from tests.numbers.oracle.ecommerce.days import daily_revenue, executive_summary
from tests.numbers.oracle.ecommerce.products import product_performance
from tests.numbers.oracle.ecommerce.rates import REPORTING_CURRENCY, Rates, exchange_rates
from tests.numbers.oracle.ecommerce.shop import Shop, shop_of

__all__ = ["customer_days", "shop_of", "tables"]


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


def unconverted_orders(shop: Shop, rates: Rates) -> Table:
    """The orders without an exchange rate, by currency."""
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
