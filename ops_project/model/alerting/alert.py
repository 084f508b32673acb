"""An alert reports that the condition of a rule holds for one subject. The alert exists from the moment at which the
condition became true until the message about its resolution has been sent.
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
    """The time at which the alert is resolved if its condition stays false until then. `keep_firing_for` of the rule
    and flapping delay this time. None while the condition holds.
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
    """Number of the alert because of which this one is silent. The asset graph or an inhibition rule connects them."""
    muted: str = ""
    """Why the alert is silent now: `inhibited` or `silenced`. Empty if the alert is not silent."""
    suspect: int | None = None
    """Number of the alert that may have caused this one. It is given only if this alert fired later than that alert,
    and is sent in a message of its own.
    """

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
