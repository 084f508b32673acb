"""The precision of a rule: of its alerts with a verdict, the share that was justified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RIGHT = "true-positive"
WRONG = frozenset({"false-positive", "noise"})


@dataclass(frozen=True)
class Precision:
    """One rule. `precision` is None if there is no verdict, because it is then unknown and not perfect."""

    rule: str
    fired: int
    judged: int
    true: int
    false: int
    precision: float | None


def by_rule(fired: Mapping[str, int], verdicts: Sequence[Mapping[str, Any]]) -> list[Precision]:
    """All rules that have ever fired, the least precise first."""
    result = []
    for rule, count in fired.items():
        given = [item["verdict"] for item in verdicts if item["rule"] == rule]
        true = sum(verdict == RIGHT for verdict in given)
        false = sum(verdict in WRONG for verdict in given)
        share = true / (true + false) if true + false else None
        result.append(Precision(rule=rule, fired=count, judged=len(given), true=true, false=false, precision=share))
    return sorted(result, key=lambda r: (r.precision is None, r.precision or 0.0, r.rule))
