"""How urgent an alert is. A critical alert pages a person. The other severities only send messages."""

from __future__ import annotations

from typing import Literal

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
RANK: dict[str, int] = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}


def at_least(severity: str, other: str) -> bool:
    """True if `severity` is as urgent as `other`, or more urgent."""
    return RANK.get(severity, -1) >= RANK.get(other, -1)
