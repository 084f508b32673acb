"""The state that the stages of a running cycle share, and the report of the cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.operations.alerting.decide.state import AlertConfig, Decision
from ops_project.operations.alerting.delivery import DeliveryReport
from ops_project.operations.alerting.lease_keeper import LeaseKeeper
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.channels.registry import mask
from ops_project.operations.diagnosis.evidence import EvidenceSource
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.leases import Lease
from ops_project.settings import Settings


@dataclass
class CycleReport:
    """What one cycle did."""

    skipped: str = ""
    """Why nothing was done; empty otherwise."""
    ended: bool = True
    """False if a tick did not wait for the end of its cycle. The cycle may be still running, or may have failed."""
    signals: int = 0
    decided: int = 0
    fired: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    queued: int = 0
    incidents: list[int] = field(default_factory=list)
    """Incidents that were opened or changed."""
    delivery: DeliveryReport = field(default_factory=DeliveryReport)
    observer_errors: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    """Observers that did not return in time. A later cycle stores their observations."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Channel whose messages this process cannot send → the variables that it lacks, in words."""
    decided_by: str = ""
    """Which process decides, or under which configuration this one does, in words. Empty if this process decided under
    its own configuration.
    """
    next_flush: datetime | None = None
    removed: int = 0
    """The number of old rows that were removed from the ledger."""
    seconds: float = 0.0
    failed_before: str = ""
    """The error of an earlier cycle that no tick has reported; empty if there is none. A later cycle has ended without
    an error.
    """

    def add(self, later: CycleReport) -> None:
        """Add what a later cycle did, because both are reported together."""
        self.signals += later.signals
        self.decided += later.decided
        self.fired += later.fired
        self.resolved += later.resolved
        self.queued += later.queued
        self.incidents += later.incidents
        self.removed += later.removed
        self.delivery.delivered += later.delivery.delivered
        self.delivery.failed += later.delivery.failed
        self.delivery.dead += later.delivery.dead
        self.delivery.postponed += later.delivery.postponed
        self.delivery.errors |= later.delivery.errors
        self.observer_errors |= later.observer_errors
        self.late = list(dict.fromkeys([*self.late, *later.late]))
        self.waiting |= later.waiting
        self.decided_by = later.decided_by
        self.seconds += later.seconds
        self.next_flush = later.next_flush


@dataclass
class Cycle:
    """The state that the stages of one cycle share."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    lineage: Lineage
    config: AlertConfig
    now: datetime
    clock: Callable[[], datetime]
    lease: Lease
    instance: Any = None
    observers: Sequence[Observer] = ()
    decision: Decision | None = None
    evidence: Sequence[EvidenceSource] = ()
    """The sources of evidence. They are asked about an incident before its first page is sent."""
    report: CycleReport = field(default_factory=CycleReport)
    keeper: LeaseKeeper | None = None
    noted: dict[str, str] = field(default_factory=dict)
    """Cursors that are written only at the end of the cycle, because nothing needs them earlier."""
    hidden: Sequence[str] = ()
    """The values of secrets, which no text may repeat."""

    def moved(self) -> None:
        """Report progress, so that the lease is kept. Raises LeaseLost if another process has taken over."""
        if self.keeper is not None:
            self.keeper.moved()
            self.lease = self.keeper.lease

    def without_secrets(self, text: str) -> str:
        return mask(text, self.hidden)
