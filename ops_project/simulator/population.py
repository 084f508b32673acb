"""Computes who exists on a day, and how often each member has changed by then, without computing any earlier day.

A population grows exponentially, before its anchor date and after it, so that it exists on every date. Member k is born
on the day on which the curve passes k. Each trait (a tier, an address, a price) changes by a calendar of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ops_project.simulator.world import Floats, Ints, World, days_since_epoch

# The day on which a population has its nominal size. Any other date would work as well.
ANCHOR = days_since_epoch(date(2026, 1, 1))
DAYS_PER_YEAR = 365.25
# Nobody is born before the platform's history begins. Members that would be born earlier are born on its first day.
FIRST_BIRTH = days_since_epoch(date(2009, 1, 1))


@dataclass(frozen=True)
class Population:
    """Members 0, 1, 2 … of one kind. At the anchor there are `size` members. In a year the logarithm of their number
    grows by `growth`.
    """

    world: World
    name: str
    size: float
    growth: float = 0.22

    def births(self, day: date) -> Ints:
        """The birth days (days since 1970) of all members born up to and including `day`, in the order of their
        keys.
        """
        elapsed = days_since_epoch(day) - ANCHOR
        most = int(self.size * np.exp(self.growth * elapsed / DAYS_PER_YEAR)) + 2
        keys = np.arange(1, most + 1, dtype=np.float64)
        born = ANCHOR + np.ceil(np.log(keys / self.size) / self.growth * DAYS_PER_YEAR).astype(np.int64)
        born = np.maximum(born, FIRST_BIRTH)
        return born[born <= days_since_epoch(day)]

    def unit(self, trait: str, keys: Ints, salt: Ints | int = 0) -> Floats:
        return self.world.unit(f"{self.name}/{trait}", keys, salt)

    def pick(self, trait: str, keys: Ints, count: int, salt: Ints | int = 0) -> Ints:
        return self.world.pick(f"{self.name}/{trait}", keys, count, salt)

    def normal(self, trait: str, keys: Ints, salt: Ints | int = 0) -> Floats:
        return self.world.normal(f"{self.name}/{trait}", keys, salt)

    def lifetime(self, trait: str, keys: Ints, mean_days: Floats | float) -> Ints:
        """The days from birth to the end, at a constant hazard rate; at least 1."""
        return 1 + (-np.log1p(-self.unit(trait, keys)) * mean_days).astype(np.int64)

    def changes(self, trait: str, keys: Ints, births: Ints, until: date | Ints, every: int) -> tuple[Ints, Ints]:
        """How often `trait` has changed by the end of `until`, and the day of the last change. If there was no change,
        this is the day of birth.

        Each member has a period of its own, between half and twice `every` days. `until`: one day, or a day for each
        member.
        """
        period = (every * (0.5 + 1.5 * self.unit(f"{trait}/period", keys))).astype(np.int64)
        phase = 1 + (period * self.unit(f"{trait}/phase", keys)).astype(np.int64)
        since = (days_since_epoch(until) if isinstance(until, date) else until) - births - phase
        count = np.maximum(0, since // period + 1)
        last = np.where(count > 0, births + phase + (count - 1) * period, births)
        return count, last
