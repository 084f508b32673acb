"""The units (users) of the investor metrics' experiments: their assignments, purchases and product events.

This module computes arrays and writes no files. The treatment of an experiment raises revenue by a known share, which
`true_lift` returns for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import numpy as np

from ops_project.simulator.population import Population
from ops_project.simulator.timing import demand, seconds_of_day
from ops_project.simulator.world import Floats, Ints, World, days_since_epoch, weighted

FIRST_EXPERIMENT = days_since_epoch(date(2009, 1, 1))
EVERY_DAYS, RUNS_DAYS = 14, 28
ENROLLED_SHARE, TREATED_SHARE = 0.6, 0.5
REGION_SHARE = np.cumsum([0.46, 0.28, 0.17, 0.09])
CHANNEL_SHARE = np.cumsum([0.31, 0.22, 0.17, 0.12, 0.18])
# Each array has a value for subscription, add-on, hardware and services: the share of the sales, the price in cents,
# and the cost as a share of the price.
LINE_SHARE = np.array([0.46, 0.31, 0.09, 0.14])
LINE_PRICE = np.array([2_900.0, 1_200.0, 14_900.0, 8_000.0])
LINE_COST = np.array([0.34, 0.28, 0.71, 0.58])
PURCHASES_A_DAY = 0.16
REFUNDED_SHARE, LATE_SHARE = 0.02, 0.02


def running(day: int) -> list[int]:
    """The experiments that run on a day, the oldest first."""
    last = (day - FIRST_EXPERIMENT) // EVERY_DAYS
    starts = {number: start_of(number) for number in range(max(0, last - RUNS_DAYS // EVERY_DAYS), last + 1)}
    return [number for number, start in starts.items() if start <= day < start + RUNS_DAYS]


def start_of(experiment: int) -> int:
    return FIRST_EXPERIMENT + experiment * EVERY_DAYS


def true_lift(world: World, experiment: int) -> float:
    """The share by which the treatment of an experiment raises the revenue of a sale: 0.02 to 0.14."""
    return 0.02 + 0.12 * float(world.unit("investor/lift", experiment))


@dataclass(frozen=True)
class Units:
    """All units at the end of one day."""

    world: World
    day: date

    @cached_property
    def people(self) -> Population:
        return Population(self.world, "investor/unit", 5_000 * self.world.breadth, growth=0.35)

    @cached_property
    def births(self) -> Ints:
        return self.people.births(self.day)

    @cached_property
    def keys(self) -> Ints:
        return np.arange(len(self.births))

    @cached_property
    def activity(self) -> Floats:
        """The relative activity of each unit; 0 for a unit that has left."""
        left = self.births + self.people.lifetime("lifetime", self.keys, 900.0)
        there = left > days_since_epoch(self.day)
        return np.exp(0.7 * self.people.normal("activity", self.keys) - 0.245) * there

    @cached_property
    def region(self) -> Ints:
        return np.searchsorted(REGION_SHARE, self.people.unit("region", self.keys), "right").clip(0, 3)

    @cached_property
    def channel(self) -> Ints:
        return np.searchsorted(CHANNEL_SHARE, self.people.unit("channel", self.keys), "right").clip(0, 4)

    def enrolled(self, experiment: int) -> np.ndarray:
        return self.people.unit("enrolled", self.keys, experiment + 1) < ENROLLED_SHARE

    def treated(self, experiment: int) -> np.ndarray:
        return self.people.unit("arm", self.keys, experiment + 1) < TREATED_SHARE

    def effect(self) -> Floats:
        """For each unit, the factor by which today's experiments change its revenue."""
        factor = np.ones(len(self.keys))
        for experiment in running(days_since_epoch(self.day)):
            factor *= 1.0 + true_lift(self.world, experiment) * (self.enrolled(experiment) & self.treated(experiment))
        return factor


@dataclass(frozen=True)
class Sales:
    """The transactions of one day, in the order of time."""

    day: date
    unit: Ints
    second: Ints
    line: Ints
    region: Ints
    channel: Ints
    quantity: Ints
    revenue_cents: Ints
    cost_cents: Ints
    refunded: np.ndarray
    late: np.ndarray
    """True: the transaction is recorded only on the day after."""


@lru_cache(maxsize=2)
def sales_of(world: World, day: date) -> Sales:
    """All sales of a day."""
    units = Units(world, day)
    rng = world.rng("investor", "transactions", day)
    expected = units.activity.sum() * PURCHASES_A_DAY * world.depth * demand(world, "investor", day)
    unit = weighted(rng, units.activity, rng.poisson(expected))
    count = len(unit)
    line = weighted(rng, LINE_SHARE, count)
    price = LINE_PRICE[line] * np.exp(0.12 * rng.standard_normal(count) - 0.0072)
    return Sales(
        day=day,
        unit=unit,
        second=seconds_of_day(rng, count),
        line=line,
        region=units.region[unit],
        channel=units.channel[unit],
        quantity=1 + rng.poisson(0.2, count),
        revenue_cents=np.round(price * units.effect()[unit]).astype(np.int64),
        cost_cents=np.round(LINE_PRICE[line] * LINE_COST[line] * (0.95 + 0.1 * rng.random(count))).astype(np.int64),
        refunded=rng.random(count) < REFUNDED_SHARE,
        late=rng.random(count) < LATE_SHARE,
    )
