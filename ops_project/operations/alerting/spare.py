"""Sends an alert when the ledger cannot be used. Without this module alerting would stop silently, because nothing can
be recorded.

The cycle runs on a spare ledger with this single alert and the usual rules, routes and channels. The spare ledger is a
file in the home; if the home cannot be written to, it is in memory. The file remembers that the alert was sent, so many
runs in a night send one alert. When the ledger is back, the end of the alert is sent too, and the spare ledger is
removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ops_project.catalog import Catalog
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.observer import Observation, Observer, View
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.settings import Settings

KIND = "ledger.unusable"
IN_MEMORY = "sqlite://"


@dataclass(frozen=True)
class _SpareSettings(Settings):
    """The settings of the same home, with the spare ledger in place of the ledger."""

    spare: str = IN_MEMORY

    @property
    def ledger_url(self) -> str:
        return self.spare


def tell(settings: Settings, catalog: Catalog, now: datetime, words: str, clock: Callable[[], datetime]) -> CycleReport:
    """Run one cycle on the spare ledger. Its only signal says that the ledger cannot be used, and why (`words`)."""
    file = _file(settings)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _cycle(settings, f"sqlite:///{file}", catalog, now=now, words=words, clock=clock)
    except (OSError, SQLAlchemyError):
        return _cycle(settings, IN_MEMORY, catalog, now=now, words=words, clock=clock)


def told(settings: Settings) -> bool:
    """Whether the alert about the ledger was sent, and its end has not been sent yet."""
    return _file(settings).is_file()


def take_back(settings: Settings, catalog: Catalog, now: datetime, clock: Callable[[], datetime]) -> None:
    """Report that the ledger is back, and remove the spare ledger."""
    file = _file(settings)
    _cycle(settings, f"sqlite:///{file}", catalog, now=now, words="", clock=clock)
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _file(settings: Settings) -> Path:
    return settings.home / "state" / "spare-ledger.db"


def _cycle(
    settings: Settings, url: str, catalog: Catalog, *, now: datetime, words: str, clock: Callable[[], datetime]
) -> CycleReport:
    def look(view: View) -> Observation:
        signal = Signal(
            kind=KIND,
            state=FIRING if words else OK,
            value=float(bool(words)),
            event_at=view.now,
            observed_at=view.now,
            occurrence=view.now.isoformat(),
            message=words,
        )
        return Observation([signal])

    spare = _SpareSettings(settings.home, settings.overlay, settings.as_of, settings.watched, spare=url)
    return run_once(
        spare,
        catalog,
        now,
        clock=clock,
        lineage=Lineage(),
        observers=(Observer("ledger", look),),
        flush_now=True,
        take_over=True,
    )
