"""The random numbers of the simulator. Each number is computed only from the seed, from names and from keys.

So a day that is simulated alone has the same bytes as in a longer window. The module keeps no state and reads no clock.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EPOCH = date(1970, 1, 1)


def days_since_epoch(day: date) -> int:
    """The day as a number (days since 1970), for arithmetic on arrays."""
    return (day - EPOCH).days


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser (Steele, Lea, Flood 2014): a bijection whose output bits are independent of each other."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed


@dataclass(frozen=True)
class World:
    """The seed and the scale of the simulated data. The number of events is proportional to `scale`. The number of
    entities (customers, songs …) is proportional to the square root of `scale`.
    """

    seed: int = 42
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 100_000:
            raise ValueError(f"scale {self.scale:g} is not possible: a number above 0, up to 100000")

    @property
    def breadth(self) -> float:
        """The factor of the number of entities. It is the square root of `scale`. If it were `scale`, the daily full
        extracts of the entities would grow faster than the events.
        """
        return float(np.sqrt(self.scale))

    @property
    def depth(self) -> float:
        """The factor of each entity's activity. `breadth` times `depth` is `scale`."""
        return self.scale / self.breadth

    def key(self, *names: object) -> int:
        """64 bits from the seed and the names, the same in every process."""
        text = "\x1f".join([str(self.seed), *map(str, names)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")

    def rng(self, *names: object) -> np.random.Generator:
        """A random generator for one purpose, for example rng("ecommerce", "orders", day)."""
        return np.random.Generator(np.random.PCG64(self.key(*names)))

    def bits(self, name: str, keys: Ints | int, salt: Ints | int = 0) -> NDArray[np.uint64]:
        """64 random bits for each key. The bits of a key do not depend on the other keys."""
        with np.errstate(over="ignore"):
            mixed = _mix(np.asarray(keys, dtype=np.uint64) + np.uint64(self.key(name)))
            return _mix(mixed + np.asarray(salt, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))

    def unit(self, name: str, keys: Ints | int, salt: Ints | int = 0) -> Floats:
        """A uniform number in [0, 1) for each key."""
        return (self.bits(name, keys, salt) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def pick(self, name: str, keys: Ints | int, count: int, salt: Ints | int = 0) -> Ints:
        """A uniform index in [0, count) for each key."""
        return (self.unit(name, keys, salt) * count).astype(np.int64)

    def normal(self, name: str, keys: Ints | int, salt: Ints | int = 0) -> Floats:
        """A standard normal number for each key (Box–Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.unit(name, keys, salt)))
        return radius * np.cos(2.0 * np.pi * self.unit(name + "/angle", keys, salt))


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """`size` indices that are drawn in proportion to `weights`. Empty if all weights are 0."""
    total = np.cumsum(weights)
    if size == 0 or len(total) == 0 or total[-1] <= 0:
        return np.empty(0, dtype=np.int64)
    drawn: Ints = np.searchsorted(total, rng.random(size) * total[-1], side="right").astype(np.int64)
    return np.minimum(drawn, len(weights) - 1)
