"""Defines an observer. An observer looks at one source, and returns signals and cursors. The cursors say how far it has
read.
"""

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
    """The facts about its subject that a signal can have. They are described in Signal."""

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
    """Everything that an observer may look at."""

    settings: Settings
    catalog: Catalog
    ledger: Ledger
    lineage: Lineage
    cursors: Mapping[str, str]
    now: datetime
    instance: Any = None
    """Dagster's instance; None if there is none."""

    def state(
        self, kind: str, firing: bool, *, at: datetime | None = None, occurrence: str = "", **facts: Unpack[Facts]
    ) -> Signal:
        """A signal that something is failing (`firing`) or ok. `at`: when it happened (UTC); by default now.
        `occurrence`: as in Signal; by default the time of this look.
        """
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
        """A reading of a gauge. The rules decide what it means. `value`: None if it could not be read. The other
        parameters are as in `state`.
        """
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
    """The result of one look. All of it is stored, or nothing."""

    signals: list[Signal] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    more: bool = False
    """Whether the source has more to read at once."""
    failed: dict[str, str] = field(default_factory=dict)
    """Part that could not be read → the reason. The state of such a part is unknown."""
    well: frozenset[str] = frozenset()
    """Parts that were read. A part that failed before works again."""


@dataclass(frozen=True)
class Observer:
    """One observer."""

    name: str
    look: Callable[[View], Observation]
    every: timedelta = timedelta()
    """The least time between two looks."""
    needs_instance: bool = False
    hung_after: timedelta = timedelta(seconds=60)
    """A look that takes longer than this counts as hung. This is reported, and the other observers continue."""
    anywhere: bool = False
    """Whether the observer's signals are the same under every configuration. A process that does not decide runs only
    such observers.
    """
