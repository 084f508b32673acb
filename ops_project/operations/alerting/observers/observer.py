"""Defines an observer: it looks at one source and returns signals, and cursors that say how far it has read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings


class Facts(TypedDict, total=False):
    """What a signal can say of its subject; as Signal has it."""

    total: float | None
    domain: str
    pipeline: str
    asset: str
    partition: str
    check: str
    owners: tuple[str, ...]
    run_id: str
    batch_id: str
    failure_class: str
    evidence_ref: str
    message: str
    labels: Mapping[str, str]
    assets: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """What observers may look at."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    lineage: Lineage
    cursors: Mapping[str, str]
    now: datetime
    instance: Any = None
    """Dagster's instance; None where there is none."""

    def state(
        self, kind: str, firing: bool, *, at: datetime | None = None, occurrence: str = "", **facts: Unpack[Facts]
    ) -> Signal:
        """A signal that something is failing (`firing`) or ok. `at`: when it happened (UTC), else now; `occurrence`: as
        Signal has it, else this look."""
        return Signal(
            kind=kind,
            state=FIRING if firing else OK,
            value=float(firing),
            event_at=at or self.now,
            observed_at=self.now,
            occurrence=occurrence or self.now.isoformat(),
            **facts,
        )

    def reading(
        self,
        kind: str,
        value: float | None,
        *,
        at: datetime | None = None,
        occurrence: str = "",
        **facts: Unpack[Facts],
    ) -> Signal:
        """A reading of a gauge; its rule decides. `value` None: it could not be read. The rest is as in `state`."""
        return Signal(
            kind=kind,
            state=OK,
            value=value,
            event_at=at or self.now,
            observed_at=self.now,
            occurrence=occurrence or self.now.isoformat(),
            **facts,
        )


@dataclass
class Observation:
    """What was seen; stored together, or not at all."""

    signals: list[Signal] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    more: bool = False
    """There is more to read at once."""
    failed: dict[str, str] = field(default_factory=dict)
    """Parts that could not be read → why. What they would have said is unknown."""
    well: frozenset[str] = frozenset()
    """Parts that were read; one that failed before is mended."""


@dataclass(frozen=True)
class Observer:
    """One part of the observation."""

    name: str
    look: Callable[[View], Observation]
    every: timedelta = timedelta()
    """Not more often than this."""
    needs_instance: bool = False
    hung_after: timedelta = timedelta(seconds=60)
    """A look that takes longer has stopped: that is told, and the others go on."""
    anywhere: bool = False
    """It reads the same whatever is configured, so that a process that does not decide may look as well."""
