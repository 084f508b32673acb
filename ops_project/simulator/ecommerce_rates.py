"""The second currency of the shop: the customers who pay in it, its price list, and its daily rate.

The rate is a seeded random walk that is drawn back to a fixed level, so it stays plausible over any number of years.
The rate of a day can be computed without the rates of earlier days, like all data in this package.
"""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np

from ops_project.simulator.outbox import Columns
from ops_project.simulator.population import Population
from ops_project.simulator.world import Ints, World, days_since_epoch

HOME, FOREIGN = "USD", "EUR"
FOREIGN_SHARE = 0.12
# The euro price of a product is its dollar price times this factor. The rate of the day does not change it.
PRICE_FACTOR = 0.92
LEVEL = 1.085
# STEP is the size of a day's step. KEPT is the share of the distance from the level that remains after a day. In the
# long run the standard deviation is 4 %.
STEP, KEPT = 0.004, 0.995
REMEMBERED_DAYS = 1_000
PUBLISHED_AT = time(16, 0)

RATE_SQL = "currency, rate_date, rate::DECIMAL(18, 8) AS rate, published_at"


def pays_abroad(people: Population, customer: Ints) -> np.ndarray:
    """For each order, whether its customer pays in the second currency. A customer always pays in the same currency."""
    paid: np.ndarray = people.unit("currency", customer) < FOREIGN_SHARE
    return paid


def foreign_price(cents: Ints) -> Ints:
    """The price in the second currency, in cents. It ends in .49 or .99, like the dollar price."""
    return np.maximum(1, np.round(cents * PRICE_FACTOR / 50)).astype(np.int64) * 50 - 1


def rate(world: World, day: date) -> float:
    """The dollars for one euro on `day`, with four decimals."""
    ago = np.arange(REMEMBERED_DAYS)
    steps = world.normal("ecommerce/rate", days_since_epoch(day) - ago)
    return round(LEVEL * float(np.exp(STEP * np.sum(steps * KEPT**ago))), 4)


def rates(world: World, day: date) -> Columns:
    """The rows of the day's file."""
    return {
        "currency": [FOREIGN],
        "rate_date": [day],
        "rate": [rate(world, day)],
        "published_at": [datetime.combine(day, PUBLISHED_AT)],
    }
