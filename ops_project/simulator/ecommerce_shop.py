"""The web shop on a day: the customers, the products on sale with their prices, and the tastes of the customers.

This module computes arrays and writes no files. It makes the patterns that a model can learn: segments of customers
with their tastes, products that are bought together, and customers who order less and less before they stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from ops_project.simulator.population import Population
from ops_project.simulator.world import Floats, Ints, World, days_since_epoch

TIERS = ("bronze", "silver", "gold", "platinum")
CATEGORIES = ("electronics", "home", "fashion", "beauty", "sports", "toys", "books", "grocery")
# The typical price of a category, in dollars.
PRICE_LEVEL = np.array([95.0, 38.0, 52.0, 24.0, 44.0, 27.0, 16.0, 9.0])
# A customer orders less and less in this many days before the last order. A churn model can learn this.
FADING_DAYS = 45
COMPANIONS = 3


@dataclass(frozen=True)
class Segment:
    """A kind of customer. No file contains it, so a model has to discover it."""

    share: float
    orders_per_day: float
    extra_items: float
    discount: float
    lifetime_days: float
    returns: float
    thrift: float
    """How much a low price attracts these customers. Negative if a high price attracts them."""


SEGMENTS = (
    Segment(
        share=0.20, orders_per_day=0.40, extra_items=1.1, discount=0.05, lifetime_days=1500, returns=0.04, thrift=0.0
    ),
    Segment(
        share=0.15, orders_per_day=0.17, extra_items=3.0, discount=0.04, lifetime_days=1100, returns=0.07, thrift=-0.4
    ),
    Segment(
        share=0.30, orders_per_day=0.14, extra_items=1.6, discount=0.18, lifetime_days=420, returns=0.10, thrift=1.2
    ),
    Segment(
        share=0.35, orders_per_day=0.06, extra_items=0.6, discount=0.06, lifetime_days=380, returns=0.06, thrift=0.3
    ),
)


def of_segment(attribute: str, segment: Ints) -> Floats:
    """For each customer, the value of this attribute of the customer's segment."""
    return np.array([getattr(kind, attribute) for kind in SEGMENTS], dtype=float)[segment]


@dataclass(frozen=True)
class Shop:
    """The shop at the end of one day. Index k of an array is customer k, or product k."""

    world: World
    day: date

    @cached_property
    def people(self) -> Population:
        return Population(self.world, "ecommerce/customer", 8_000 * self.world.breadth)

    @cached_property
    def goods(self) -> Population:
        return Population(self.world, "ecommerce/product", 420 * self.world.breadth, growth=0.15)

    @cached_property
    def signed_up(self) -> Ints:
        return self.people.births(self.day)

    @cached_property
    def customers(self) -> Ints:
        return np.arange(len(self.signed_up))

    @cached_property
    def segment(self) -> Ints:
        edges = np.cumsum([kind.share for kind in SEGMENTS])
        return np.searchsorted(edges, self.people.unit("segment", self.customers), "right").clip(0, len(SEGMENTS) - 1)

    @cached_property
    def interest(self) -> Floats:
        """The expected number of orders of each customer today, before the factor of the day. 0 for a customer who has
        stopped.
        """
        lifetime = self.people.lifetime("lifetime", self.customers, of_segment("lifetime_days", self.segment))
        left = self.signed_up + lifetime - days_since_epoch(self.day)
        personal = np.exp(0.5 * self.people.normal("rate", self.customers) - 0.125)
        fading = np.clip(left / FADING_DAYS, 0.0, 1.0)
        return of_segment("orders_per_day", self.segment) * personal * fading * self.world.depth

    @cached_property
    def retierings(self) -> tuple[Ints, Ints]:
        return self.people.changes("tier", self.customers, self.signed_up, self.day, every=400)

    @cached_property
    def tier(self) -> Ints:
        """The tier of each customer. It alternates between the customer's own level and the next level."""
        own = self.people.pick("tier", self.customers, 3, 0)
        return own + self.retierings[0] % 2

    @cached_property
    def moves(self) -> tuple[Ints, Ints]:
        return self.people.changes("address", self.customers, self.signed_up, self.day, every=900)

    @cached_property
    def launched(self) -> Ints:
        return self.goods.births(self.day)

    @cached_property
    def products(self) -> Ints:
        return np.arange(len(self.launched))

    @cached_property
    def category(self) -> Ints:
        return self.goods.pick("category", self.products, len(CATEGORIES))

    @cached_property
    def withdrawn(self) -> Ints:
        """For each product, the day (days since 1970) from which it is no longer sold."""
        return self.launched + self.goods.lifetime("lifetime", self.products, 2200.0)

    @cached_property
    def on_sale(self) -> np.ndarray:
        return self.withdrawn > days_since_epoch(self.day)

    @cached_property
    def repricings(self) -> tuple[Ints, Ints]:
        return self.goods.changes("price", self.products, self.launched, self.day, every=75)

    @cached_property
    def list_price(self) -> Floats:
        """The price at launch, in dollars, before rounding."""
        return PRICE_LEVEL[self.category] * np.exp(0.55 * self.goods.normal("price", self.products))

    @cached_property
    def price_cents(self) -> Ints:
        """Today's price: the list price, changed by at most 15 % at the last repricing. It ends in .49 or .99."""
        moved = self.list_price * (0.85 + 0.30 * self.goods.unit("reprice", self.products, self.repricings[0]))
        return np.maximum(1, np.round(moved * 2)).astype(np.int64) * 50 - 1

    @cached_property
    def cost_cents(self) -> Ints:
        return np.maximum(1, (self.list_price * 55.0 * (0.8 + 0.4 * self.goods.unit("cost", self.products)))).astype(
            int
        )

    @cached_property
    def appeal(self) -> list[Floats]:
        """For each segment, the weight of each product: its popularity, the taste for its category, and its price."""
        popularity = np.exp(1.1 * self.goods.normal("popularity", self.products)) * self.on_sale
        cheap = 1.0 / np.sqrt(self.price_cents / 100.0)
        kinds = np.arange(len(CATEGORIES))
        return [
            popularity
            * np.exp(1.4 * self.world.normal("ecommerce/taste", kinds, number))[self.category]
            * cheap**kind.thrift
            for number, kind in enumerate(SEGMENTS)
        ]

    @cached_property
    def companions(self) -> Ints:
        """For each product, the COMPANIONS products that are often bought with it. They are chosen among the products
        of the anchor date, so that they stay the same from day to day.
        """
        reach = max(1, min(int(self.goods.size), len(self.products)))
        slots = [self.goods.pick("companion", self.products, reach, slot + 1) for slot in range(COMPANIONS)]
        return np.stack(slots, axis=1)
