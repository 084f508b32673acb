"""What an observer is: it looks at one thing and returns signals and the cursors that say how far it has looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import Signal
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings


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


@dataclass
class Observation:
    """What was seen; stored together, or not at all."""

    signals: list[Signal] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    more: bool = False
    """There is more to read at once."""


@dataclass(frozen=True)
class Observer:
    """One part of the observation."""

    name: str
    look: Callable[[View], Observation]
    every: timedelta = timedelta()
    """Not more often than this."""
    needs_instance: bool = False
