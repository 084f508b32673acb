"""Profit, growth and engagement of each month and quarter."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.numbers.oracle.archive import Archive, newest
from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.investor.periods import Figures, against_before, every, is_holiday, is_whole, of
from tests.numbers.oracle.investor.reports import Reports
from tests.numbers.oracle.investor.sales import Sale, spend, total


def profit(archive: Archive, known: list[Sale], reports: Reports) -> Table:
    with_sales, with_spend = archive.days("transactions"), archive.days("marketing_spend")
    spent = spend(archive, date.max)
    rows: dict[tuple[Any, ...], Figures] = {}
    days = {sale.day for sale in known} | {day for day, _ in spent} | with_sales | with_spend
    for period in every(days):
        kind, first, last = period
        mine = [sale for sale in known if first <= sale.day <= last]
        revenue, cost = total(mine, lambda sale: sale.revenue), total(mine, lambda sale: sale.cost)
        marketing = sum((amount for (day, _), amount in spent.items() if first <= day <= last), Decimal(0))
        told = reports.told.get(("profit", kind, first))
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, with_sales & with_spend),
            "is_complete": is_whole(period, with_sales & with_spend),
            "revenue": revenue,
            "cost": cost,
            "marketing_spend": marketing,
            "profit": revenue - cost - marketing,
            "profit_margin": ratio(revenue - cost - marketing, revenue),
            "reported_profit": told and told.value,
            "reported_as_of": told and told.as_of,
        }
    against_before(rows, "profit", "profit_growth")
    return Table(("period_type", "period_start"), rows)


def growth(archive: Archive, known: list[Sale]) -> Table:
    rows: dict[tuple[Any, ...], Figures] = {}
    for period in every(sale.day for sale in known):
        kind, first, last = period
        mine = [sale for sale in known if first <= sale.day <= last]
        buyers = {sale.unit for sale in mine}
        earlier = {sale.unit for sale in known if sale.day < first}
        revenue = total(mine, lambda sale: sale.revenue)
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, archive.days("transactions")),
            "is_complete": is_whole(period, archive.days("transactions")),
            "revenue": revenue,
            "transactions": len(mine),
            "buyers": len(buyers),
            "new_buyers": len(buyers - earlier),
            "revenue_per_buyer": ratio(revenue, len(buyers)),
        }
    against_before(rows, "revenue", "revenue_growth")
    against_before(rows, "buyers", "buyers_growth")
    return Table(("period_type", "period_start"), rows)


def engagement(archive: Archive) -> Table:
    events = newest(archive.rows("product_events"), lambda row: row.known("event_id")).values()
    delivered = archive.days("product_events")
    rows: dict[tuple[Any, ...], Figures] = {}
    for period in every(row.day("occurred_at") for row in events):
        kind, first, last = period
        mine = [row for row in events if first <= row.day("occurred_at") <= last]
        days = {row.day("occurred_at") for row in mine}
        units = {row.known("unit_id") for row in mine}
        unit_days = {(row.day("occurred_at"), row.known("unit_id")) for row in mine}
        sessions = len({(row.day("occurred_at"), row.known("unit_id"), row.known("session_id")) for row in mine})
        seconds = sum(int(row.text("duration_seconds") or 0) for row in mine)
        rows[kind, first] = {
            "period_end": last,
            "days_delivered": of(period, delivered),
            "holiday_days": sum(is_holiday(day) for day in days),
            "is_complete": is_whole(period, delivered),
            "active_units": len(units),
            "sessions": sessions,
            "sessions_per_unit": ratio(sessions, len(units)),
            "seconds_per_session": ratio(seconds, sessions),
            "stickiness": ratio(Fraction(len(unit_days), len(days)), len(units)),
        }
    against_before(rows, "active_units", "active_units_growth")
    return Table(("period_type", "period_start"), rows)
