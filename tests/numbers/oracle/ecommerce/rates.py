"""Converts amounts of other currencies into the reporting currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import Table

REPORTING_CURRENCY = variable("reporting_currency")
# The contract of the rates gives the number of further days on which a rate may be used.
VALID_DAYS = 7


@dataclass(frozen=True)
class Rates:
    """The value of one unit of a currency, by currency and day."""

    published: Mapping[tuple[str, date], Row]

    @classmethod
    def of(cls, archive: Archive) -> Rates:
        rows = archive.rows("exchange_rates")
        return cls(newest(rows, lambda row: (row.known("currency"), row.day("rate_date")), "published_at"))

    def on(self, currency: str, day: date) -> Decimal | None:
        """The rate of the day, or else the newest rate that is still valid."""
        if currency == REPORTING_CURRENCY:
            return Decimal(1)
        held = ((currency, day - timedelta(days=back)) for back in range(VALID_DAYS + 1))
        return next((self.published[place].number("rate") for place in held if place in self.published), None)


def converted(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return None if rate is None else (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP)


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
