"""Sales and marketing spend, computed from the files that are dated up to a given day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tests.numbers.oracle.archive import Archive, newest


@dataclass(frozen=True)
class Sale:
    unit: str
    at: datetime
    revenue: Decimal
    cost: Decimal

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def profit(self) -> Decimal:
        return self.revenue - self.cost


def sales(archive: Archive, known_on: date) -> list[Sale]:
    """The newest version of each transaction in the files dated up to `known_on`. A refund takes the revenue back."""
    rows = [row for row in archive.rows("transactions") if row.file.day <= known_on]
    found = []
    for row in newest(rows, lambda row: row.known("transaction_id"), "updated_at").values():
        quantity = row.number("quantity")
        revenue = Decimal(0) if row.known("status") == "refunded" else quantity * row.number("unit_revenue")
        found.append(Sale(row.known("unit_id"), row.moment("occurred_at"), revenue, quantity * row.number("unit_cost")))
    return found


def spend(archive: Archive, known_on: date) -> dict[tuple[date, str], Decimal]:
    rows = [row for row in archive.rows("marketing_spend") if row.file.day <= known_on]
    rows_of = newest(rows, lambda row: (row.day("spend_date"), row.known("channel")))
    return {key: row.number("spend_amount") for key, row in rows_of.items()}


def total(chosen: Iterable[Sale], amount: Callable[[Sale], Decimal]) -> Decimal:
    return sum((amount(sale) for sale in chosen), Decimal(0))
