"""Predicts the next value of a daily series from earlier values, as a prediction interval.

The value that is tested is not used for the prediction. Otherwise a drop would widen its own interval and be hidden.
The prediction works on logarithms, so that growth is a straight line and a weekday is a constant factor. The module is
pure: no clock, no warehouse, no Dagster. If there are too few points, the result is None, which means unknown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from statistics import NormalDist

from asset_checks.parameters import IntervalParameters

WEEK = 7
# Added to every value, so that zero has a logarithm. For counts of hundreds, the effect is too small to see.
OFFSET = 0.5
# An earlier value that is further out than this is left out. Otherwise one bad day would widen the interval for weeks.
OUTLIER_CONFIDENCE = 0.9999
# At most this share of the values is left out. If more values are far out, the series itself is like that.
MAX_OUTLIERS = 0.2


@dataclass(frozen=True)
class Interval:
    """The expected range of the value, in the units of the value. `model`: the parts of the prediction, for example
    `weekday level + growth`.
    """

    low: float
    expected: float
    high: float
    points: int
    model: str

    def holds(self, value: float) -> bool:
        """Whether the value lies in the interval. It may also be one unit away from the expected value, because a count
        cannot be more exact than that.
        """
        return self.low <= value <= self.high or abs(value - self.expected) <= 1


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t distribution with `degrees` >= 1 degrees of freedom. `probability` lies between 0 and
    1.

    For a whole number of degrees, the distribution is a finite sum, so the result is exact up to rounding. In the
    tests, its relative difference from an independent implementation is below 1e-8, for 1 to 200 degrees and for tails
    down to 1e-6.
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    if probability == 0.5:
        return 0.0
    # The quantile of the normal distribution lies below that of t, and the distribution function is concave above 0. So
    # each of Newton's steps increases the result.
    t = NormalDist().inv_cdf(probability)
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
    for _ in range(200):
        density = math.exp(log_scale - (degrees + 1) / 2 * math.log1p(t * t / degrees))
        step = (2 * probability - 1 - _t_within(t, degrees)) / (2 * density)
        t += step
        if abs(step) <= 1e-12 * t:
            break
    return t


def _t_within(t: float, degrees: int) -> float:
    """The probability that |T| <= t (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


@dataclass(frozen=True)
class _Point:
    day: date
    log: float


@dataclass(frozen=True)
class _Fit:
    """A least-squares fit of log(value): a level and, with `trend`, a straight line. With `by_weekday`, each weekday
    has its own level.
    """

    levels: dict[int, tuple[float, float, int]]  # Weekday (or 0) → mean day, mean log, number of points.
    slope: float
    spread: float  # The sum of squares of the day within its level.
    residual: float  # The sum of squared residuals.
    degrees: int
    by_weekday: bool

    @classmethod
    def of(cls, points: Sequence[_Point], by_weekday: bool, trend: bool) -> _Fit:
        groups: dict[int, list[tuple[float, float]]] = {}
        for point in points:
            groups.setdefault(point.day.weekday() if by_weekday else 0, []).append((point.day.toordinal(), point.log))
        levels = {
            key: (sum(x for x, _ in rows) / len(rows), sum(y for _, y in rows) / len(rows), len(rows))
            for key, rows in groups.items()
        }
        centred = [(x - levels[key][0], y - levels[key][1]) for key, rows in groups.items() for x, y in rows]
        spread = sum(x * x for x, _ in centred) if trend else 0.0
        slope = sum(x * y for x, y in centred) / spread if spread else 0.0
        residual = sum((y - slope * x) ** 2 for x, y in centred)
        return cls(
            levels=levels,
            slope=slope,
            spread=spread,
            residual=residual,
            degrees=len(points) - len(levels) - bool(spread),
            by_weekday=by_weekday,
        )

    def predict(self, day: date) -> tuple[float, float]:
        """The expected logarithm on `day`, and the factor by which its uncertainty exceeds the noise of a
        single point.
        """
        mean_day, mean_log, points = self.levels[day.weekday() if self.by_weekday else 0]
        ahead = day.toordinal() - mean_day
        leverage = 1 + 1 / points + (ahead * ahead / self.spread if self.spread else 0.0)
        return mean_log + self.slope * ahead, math.sqrt(leverage)

    def knows(self, day: date) -> bool:
        return not self.by_weekday or day.weekday() in self.levels


def _without_outliers(points: list[_Point], by_weekday: bool, trend: bool, noise: float) -> list[_Point]:
    kept = points
    for _ in range(int(MAX_OUTLIERS * len(points))):
        if len(kept) <= WEEK + 1:
            break
        fit = _Fit.of(kept, by_weekday, trend)
        suspect = max(kept, key=lambda point: abs(point.log - fit.predict(point.day)[0]))
        others = [point for point in kept if point is not suspect]
        without = _Fit.of(others, by_weekday, trend)
        if without.degrees < 5 or not without.knows(suspect.day):
            break
        expected, factor = without.predict(suspect.day)
        sigma = max(math.sqrt(without.residual / without.degrees), noise)
        if abs(suspect.log - expected) <= t_quantile((1 + OUTLIER_CONFIDENCE) / 2, without.degrees) * sigma * factor:
            break
        kept = others
    return kept


def expected_interval(
    history: Sequence[tuple[date, float]], day: date, parameters: IntervalParameters
) -> Interval | None:
    """The expected range of the value on `day`; None if there are too few earlier values. `history`: (date, value), in
    any order. Only dates before `day` are used. Values must not be negative.
    """
    before = sorted((when, value) for when, value in history if when < day)[-parameters.history :]
    if len(before) < parameters.min_points:
        return None
    points = [_Point(when, math.log(max(value, 0.0) + OFFSET)) for when, value in before]
    span = (day - points[0].day).days
    same_weekday = sum(point.day.weekday() == day.weekday() for point in points)
    by_weekday = span >= parameters.weekday_from and same_weekday >= parameters.weekday_from // WEEK - 1
    trend = len(points) >= parameters.trend_from
    if by_weekday and len(points) - len({point.day.weekday() for point in points}) - 1 < parameters.min_points:
        by_weekday = False
    kept = _without_outliers(points, by_weekday, trend, parameters.min_relative_noise)
    fit = _Fit.of(kept, by_weekday, trend)
    expected, factor = fit.predict(day)
    sigma = max(math.sqrt(fit.residual / fit.degrees), parameters.min_relative_noise)
    sure, likely = (
        t_quantile((1 + confidence) / 2, fit.degrees) * sigma * factor
        for confidence in (parameters.confidence, parameters.large_confidence)
    )
    # Hundreds of files arrive in a month. With a confidence of 0.999 for each of them, a healthy platform would raise a
    # false alarm every third month. So this confidence is enough only for a change as large as a broken load causes. A
    # smaller change needs more confidence.
    reach = max(min(sure, -math.log(1 - parameters.large_change)), likely)
    model = " + ".join(["weekday level" if by_weekday else "level", *(["growth"] if fit.spread else [])])
    return Interval(
        low=max(math.exp(expected - reach) - OFFSET, 0.0),
        expected=max(math.exp(expected) - OFFSET, 0.0),
        high=math.exp(expected + reach) - OFFSET,
        points=len(kept),
        model=model,
    )
