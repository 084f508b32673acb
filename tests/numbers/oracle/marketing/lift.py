"""How much more of the contacted customers convert than of those held out, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scipy import stats

from tests.numbers.oracle.archive import Row
from tests.numbers.oracle.compare import Near
from tests.numbers.oracle.marketing.mart import Mart, conversions

# The relative error of the model's normal distribution; see the macro normal_two_sided_p.
ERROR = 2e-6


@dataclass(frozen=True)
class Group:
    """A group of customers: how many they are, and how many of them have a conversion."""

    size: int
    won: int

    @property
    def rate(self) -> float | None:
        return self.won / self.size if self.size else None


def group(mart: Mart, contacts: list[Row]) -> Group:
    members = {row.known("customer_id") for row in contacts}
    won = {row.known("customer_id") for row in contacts if conversions(mart.answers(row))}
    return Group(len(members), len(won))


def wilson(of: Group) -> tuple[float, float]:
    """The 95 % score interval of a rate: the two rates p at which (observed − p)² = z² p (1 − p) / n."""
    z2, observed = stats.norm.ppf(0.975) ** 2, of.won / of.size
    # p² (1 + z²/n) − p (2 observed + z²/n) + observed² = 0
    a, b, c = 1 + z2 / of.size, -(2 * observed + z2 / of.size), observed**2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def lift(contacted: Group, control: Group) -> tuple[float | None, float | None, float | None]:
    """The difference of the two rates with Newcombe's interval (1998, method 10)."""
    if not contacted.size or not control.size:
        return None, None, None
    mine, other = contacted.won / contacted.size, control.won / control.size
    (low, high), (other_low, other_high) = wilson(contacted), wilson(control)
    difference = mine - other
    return (
        difference,
        difference - math.sqrt((mine - low) ** 2 + (other_high - other) ** 2),
        difference + math.sqrt((high - mine) ** 2 + (other - other_low) ** 2),
    )


def p_value(contacted: Group, control: Group) -> float | None:
    """The two-sided p-value of the hypothesis that both rates are the same."""
    if not contacted.size or not control.size:
        return None
    pooled = (contacted.won + control.won) / (contacted.size + control.size)
    error = math.sqrt(pooled * (1 - pooled) * (1 / contacted.size + 1 / control.size))
    if error == 0:
        return None
    return float(2 * stats.norm.sf(abs(contacted.won / contacted.size - control.won / control.size) / error))


def adjusted(p_values: Mapping[Any, float | None]) -> dict[Any, float | None]:
    """Benjamini and Hochberg: the least share of false discoveries at which a row is still reported."""
    known = {key: p for key, p in p_values.items() if p is not None}
    corrected = {
        key: p * len(known) / sum(other <= p * (1 + 1e-9) for other in known.values()) for key, p in known.items()
    }
    return {
        key: None if p is None else min(corrected[other] for other in known if known[other] >= p * (1 - 1e-9))
        for key, p in p_values.items()
    }


def relative(rate: float | None, control_rate: float | None) -> float | None:
    return rate / control_rate - 1 if rate is not None and control_rate else None


def near(value: float | None, places: int | None = None) -> Near | None:
    if value is None:
        return None
    return Near(value, 10.0**-places / 2 + 1e-9 if places else ERROR * abs(value) + 1e-12)
