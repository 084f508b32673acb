"""How much an alert matters. A critical alert pages; the others notify."""

from __future__ import annotations

from typing import Literal

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
RANK: dict[str, int] = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}


def at_least(severity: str, other: str) -> bool:
    """True if `severity` matters as much as `other` or more."""
    return RANK.get(severity, -1) >= RANK.get(other, -1)
