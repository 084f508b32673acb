"""Which days of the shop are unusual, by the exact distribution in place of the model's approximation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from scipy import stats

from tests.dbt.macros import variable
from tests.numbers.oracle.compare import Near, Table

FEWEST = variable("anomaly_min_points")
WEEKDAYS_FROM = variable("anomaly_weekday_from")
LONGEST = variable("anomaly_history")
LEAST_NOISE = variable("anomaly_min_relative_noise")
Point = tuple[date, float]


def anomalies(days: Mapping[date, tuple[Any, Any]]) -> Table:
    """`days`: orders and revenue of each day whose files have come and that has any orders."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for day in sorted(days):
        orders, revenue = days[day]
        before = [on for on in sorted(days) if on < day][-LONGEST:]
        enough = len(before) >= FEWEST
        counted = scored(day, float(orders), [(on, float(days[on][0])) for on in before]) if enough else None
        # Revenue without an exchange rate is not known: neither tested nor an example.
        known = [(on, float(days[on][1])) for on in before if days[on][1] is not None]
        earned = scored(day, float(revenue), known) if revenue is not None and len(known) >= FEWEST else None
        rows[day,] = {
            "order_count": orders,
            "revenue": revenue,
            "expected_order_count": counted and counted[0],
            "expected_revenue": earned and earned[0],
            "orders_z_score": counted and counted[1],
            "revenue_z_score": earned and earned[1],
            "baseline": "none" if not enough else "weekday" if of_weekday(day, before) else "level",
            "baseline_points": len(before),
            "status": status(counted, earned, float(orders), None if revenue is None else float(revenue)),
        }
    return Table(("order_date",), rows)


def of_weekday(day: date, before: list[date]) -> bool:
    """From 28 days on each weekday has a level of its own, if it was seen three times."""
    return len(before) >= WEEKDAYS_FROM and sum(on.weekday() == day.weekday() for on in before) >= 3


def scored(day: date, observed: float, before: list[Point]) -> tuple[float, Near]:
    """The expected value from the days before, and how far the observed value is from it."""
    if of_weekday(day, [on for on, _ in before]):
        levels = {
            weekday: mean([value for on, value in before if on.weekday() == weekday])
            for weekday in {on.weekday() for on, _ in before}
        }
        expected = levels[day.weekday()]
        degrees = len(before) - len(levels)
        relative = [value / levels[on.weekday()] - 1 for on, value in before if levels[on.weekday()]]
        noise = expected * math.sqrt(sum(item * item for item in relative) / degrees)
        points = sum(on.weekday() == day.weekday() for on, _ in before)
    else:
        values = [value for _, value in before]
        expected, degrees, points = mean(values), len(values) - 1, len(values)
        noise = math.sqrt(sum((value - expected) ** 2 for value in values) / degrees)
    spread = max(noise, LEAST_NOISE * abs(expected), 1e-9) * math.sqrt(1 + 1 / points)
    distance = (observed - expected) / spread
    tail = float(stats.t.sf(abs(distance), degrees))
    if tail < 1e-200:
        return expected, Near(math.copysign(30.0, distance), math.inf)
    z = float(stats.norm.isf(tail))
    return expected, Near(math.copysign(z, distance), 0.01 + 0.02 * z)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def status(
    counted: tuple[float, Near] | None, earned: tuple[float, Near] | None, orders: float, revenue: float | None
) -> str:
    if counted is None:
        return "Insufficient History"
    for observed, judged in ((orders, counted), (revenue, earned)):
        if observed is None or judged is None:
            continue
        expected, z = judged
        is_large = abs(observed - expected) > variable("anomaly_large_change") * expected
        if abs(z.value) > variable("anomaly_large_z" if is_large else "anomaly_z"):
            return "Anomaly Detected"
    if revenue is None:
        return "Revenue Unknown"
    return "Insufficient History" if earned is None else "Normal"
