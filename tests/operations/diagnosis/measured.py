"""The result of one measured case, and the shares over all cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ALONE, OLDER, NOISY = SITUATIONS = ("alone", "older problem", "noisy neighbour")


@dataclass(frozen=True)
class Judged:
    """The question of a case, the position of the true root in the answer, and the answer of the simple rule."""

    fault: str
    seed: int
    situation: str
    beside: str
    asked: str
    root: str
    place: int
    """1: first; 0: not named."""
    first: str
    nearest: str
    seconds: float


def summary(found: Sequence[Judged]) -> dict[str, Any]:
    """Shares of cases whose root is first, among the first three, and found by the simple rule; the longest time."""
    total = max(1, len(found))
    return {
        "cases": len(found),
        "first": round(sum(item.place == 1 for item in found) / total, 3),
        "among_three": round(sum(1 <= item.place <= 3 for item in found) / total, 3),
        "nearest_failing_first": round(sum(item.nearest == item.root for item in found) / total, 3),
        "seconds": max((item.seconds for item in found), default=0.0),
    }
