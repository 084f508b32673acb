"""An alert: a rule whose condition holds for one subject. It exists from that moment until its resolution has been
sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

PENDING = "pending"
FIRING = "firing"
RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One state of an alert. An alert is immutable: a decision replaces it by a changed copy. Times are UTC."""

    number: int
    key: str
    """The hash of rule and subject. At most one open alert has a given key."""
    rule: str
    status: str
    """The state of the alert: pending (its for-duration is running), firing or resolved."""
    severity: str
    labels: Mapping[str, str]
    starts_at: datetime
    """When the condition became true."""
    updated_at: datetime
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    clears_at: datetime | None = None
    """When the alert will be resolved, if its condition stays false until then (keep_firing_for, flapping). None while
    the condition holds.
    """
    flaps: int = 0
    """How often the alert fired again within the flap window."""
    summary: str = ""
    message: str = ""
    value: float | None = None
    owners: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    run_id: str = ""
    batch_id: str = ""
    failure_class: str = ""
    evidence_ref: str = ""
    conditions: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Index of a condition → fingerprints of the series for which the condition holds."""
    cause: int | None = None
    """Number of the alert that silences this one by the asset graph or by rule."""
    muted: str = ""
    """Why the alert is silent now: inhibited, silenced; empty if it is not."""
    suspect: int | None = None
    """Number of the alert that may have caused this one. Given only if this alert came later and is sent separately."""

    acknowledged_at: datetime | None = None
    """When a person said that they work on the alert; None if no person has."""
    acknowledged_by: str = ""
    acknowledged_note: str = ""

    @property
    def open(self) -> bool:
        return self.status != RESOLVED

    @property
    def asset(self) -> str:
        return self.labels.get("asset", "")
