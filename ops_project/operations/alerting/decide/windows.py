"""Sliding windows. A window contains exactly the readings whose event_at is later than now − window, and not later than
now.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from ops_project.model.alerting.rule import Condition
from ops_project.model.alerting.signal import FIRING, Signal

WINDOW = "window"
"""Stands in an alert's conditions in place of the fingerprint of a series, if the condition is about a window over the
whole subject.
"""
COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a signal that a window needs."""

    at: datetime
    value: float | None
    total: float | None
    firing: bool


def reading(signal: Signal) -> Reading:
    return Reading(signal.event_at, value_of(signal), signal.total, signal.state == FIRING)


def value_of(signal: Signal) -> float | None:
    """The value of a signal; None if it is unknown. A state without a value counts as 1 while it fires and as 0 while
    it is ok.
    """
    if signal.value is not None:
        return signal.value
    return None if signal.labels.get("unknown") else 1.0 if signal.state == FIRING else 0.0


def aggregate(condition: Condition, readings: Iterable[Reading], now: datetime) -> float | None:
    """The value of the condition at `now`; None if nothing is known."""
    assert condition.window is not None
    inside = [r for r in readings if now - condition.window < r.at <= now]
    if condition.aggregate == "count":
        return float(sum(r.firing for r in inside))
    known = [r for r in inside if r.value is not None]
    values = [r.value for r in known if r.value is not None]
    if not values:
        return None
    if condition.aggregate == "ratio":
        total = sum(r.total or 0.0 for r in known)
        return sum(values) / total if total else None
    if condition.aggregate == "sum":
        return sum(values)
    if condition.aggregate == "avg":
        return sum(values) / len(values)
    if condition.aggregate == "max":
        return max(values)
    if condition.aggregate == "min":
        return min(values)
    return max(known, key=lambda r: r.at).value


def holds(condition: Condition, value: float | None) -> bool | None:
    """Whether `value op threshold` is true; None if the value is unknown."""
    return None if value is None else COMPARE[condition.op](value, condition.threshold)
