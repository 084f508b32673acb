"""Computes which members of a population exist on a day, and how often each member has changed until then. No earlier
day is computed.

A population grows exponentially before and after its anchor date, so it has members on every date. Member k is born on
the day on which the growth curve reaches k. Each trait (a tier, an address, a price) changes at its own times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ops_project.simulator.world import Floats, Ints, World, days_since_epoch

# On this day a population has its nominal size. The choice of the day does not matter.
ANCHOR = days_since_epoch(date(2026, 1, 1))
DAYS_PER_YEAR = 365.25
# The platform's history begins on this day. Members that would be born earlier are born on this day.
FIRST_BIRTH = days_since_epoch(date(2009, 1, 1))


@dataclass(frozen=True)
class Population:
    """Members 0, 1, 2 … of one kind. On the anchor date there are `size` members. In a year, their number is multiplied
    by exp(`growth`).
    """

    world: World
    name: str
    size: float
    growth: float = 0.22

    def births(self, day: date) -> Ints:
        """The birth days (days since 1970) of all members that are born by the end of `day`, in the order of their
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
        """The days from birth to the end of each member, at a constant hazard rate; at least 1."""
        return 1 + (-np.log1p(-self.unit(trait, keys)) * mean_days).astype(np.int64)

    def changes(self, trait: str, keys: Ints, births: Ints, until: date | Ints, every: int) -> tuple[Ints, Ints]:
        """How often `trait` has changed by the end of `until`, and the day of the last change. Without a change, this
        is the day of birth.

        Each member has its own interval between changes, from half to twice `every` days.

        `until`: one day, or a day for each member.
        """
        period = (every * (0.5 + 1.5 * self.unit(f"{trait}/period", keys))).astype(np.int64)
        phase = 1 + (period * self.unit(f"{trait}/phase", keys)).astype(np.int64)
        since = (days_since_epoch(until) if isinstance(until, date) else until) - births - phase
        count = np.maximum(0, since // period + 1)
        last = np.where(count > 0, births + phase + (count - 1) * period, births)
        return count, last
