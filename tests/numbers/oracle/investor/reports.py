"""Figures as they were reported, and how far the present figures differ from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive
from tests.numbers.oracle.compare import Table, ratio
from tests.numbers.oracle.investor.periods import Figures, periods, span
from tests.numbers.oracle.investor.sales import Sale, sales, spend, total


@dataclass(frozen=True)
class Reported:
    """A figure as it was reported. Later files do not change it."""

    value: Decimal
    as_of: date


@dataclass
class Reports:
    """The figures reported so far. Call `close` after each build, because a build reports."""

    told: dict[tuple[str, str, date], Reported]

    def close(self, archive: Archive) -> None:
        """Report each closed period that was not reported before, as far as every file of the period has come."""
        touched = {period for row in archive.rows("transactions") for period in periods(row.day("occurred_at"))}
        newest_file = max(archive.days("transactions"), default=date.min)
        for kind, first, last in touched:
            closing = last + timedelta(days=variable("investor_close_days"))
            days = set(span(first, last))
            if closing > newest_file or not days <= archive.days("transactions"):
                continue
            of_period = [sale for sale in sales(archive, closing) if first <= sale.day <= last]
            revenue = sum((sale.revenue for sale in of_period), Decimal(0))
            self.told.setdefault(("revenue", kind, first), Reported(revenue, closing))
            if days <= archive.days("marketing_spend"):
                spent = sum(amount for (day, _), amount in spend(archive, closing).items() if first <= day <= last)
                profit = sum((sale.profit for sale in of_period), Decimal(0)) - spent
                self.told.setdefault(("profit", kind, first), Reported(profit, closing))


def restatements(archive: Archive, known: list[Sale], reports: Reports) -> Table:
    spent = spend(archive, date.max)
    rows: dict[tuple[Any, ...], Figures] = {}
    for (metric, kind, first), told in reports.told.items():
        [last] = [last for of_kind, _, last in periods(first) if of_kind == kind]
        mine = [sale for sale in known if first <= sale.day <= last]
        if metric == "revenue":
            current = total(mine, lambda sale: sale.revenue)
        else:
            marketing = sum((amount for (day, _), amount in spent.items() if first <= day <= last), Decimal(0))
            current = total(mine, lambda sale: sale.profit) - marketing
        change = current - told.value
        rows[metric, kind, first] = {
            "period_end": last,
            "reported_as_of": told.as_of,
            "reported_value": told.value,
            "current_value": current,
            "change": change,
            "change_percent": ratio(100 * change, abs(told.value)),
            "is_beyond_tolerance": abs(change) * 100 > variable("investor_restatement_percent") * abs(told.value),
        }
    return Table(("metric", "period_type", "period_start"), rows)
