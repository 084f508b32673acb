"""A home, its ledger and an asset graph, on which one observer looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from ops_project.catalog import Catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
KPIS = (
    "kpi_experiment_unit_profit",
    "kpi_aggregate_profit",
    "kpi_aggregate_growth",
    "kpi_experiment_daily_growth",
    "kpi_aggregate_engagement",
)
GRAPH = Lineage.of(
    [
        AssetFacts("bronze/transactions", owners=("team:investor-metrics",), domain="investor"),
        AssetFacts("silver/fact_transactions", ("bronze/transactions",), ("team:investor-metrics",), "investor"),
        *(
            AssetFacts(f"gold/{kpi}", ("silver/fact_transactions",), ("team:investor-metrics",), "investor")
            for kpi in KPIS
        ),
    ]
)


@dataclass
class Place:
    settings: Settings
    ledger: Ledger
    catalog: Catalog
    now: datetime = NOW
    instance: object = None
    lineage: Lineage = field(default_factory=lambda: GRAPH)

    def view(self, now: datetime | None = None) -> View:
        return View(
            self.settings,
            self.catalog,
            self.ledger,
            self.lineage,
            self.ledger.cursors(),
            now or self.now,
            self.instance,
        )

    def look(self, module: ModuleType, now: datetime | None = None) -> list[Signal]:
        seen: Observation = module.look(self.view(now))
        self.ledger.append(seen.signals, seen.cursors, now or self.now)
        return seen.signals

    def saw(self, kind: str, state: str, at: datetime, **fields: Any) -> None:
        self.ledger.append([Signal(kind, state, at, at, at.isoformat(), float(state == FIRING), **fields)])


def investor(place: Place, built_at: datetime | None = None) -> None:
    """The investor pipeline has run here before; its KPIs were built at `built_at`."""
    place.saw("run.failure", OK, NOW - timedelta(days=2), pipeline="investor_pipeline")
    if built_at:
        for kpi in KPIS:
            place.saw("asset.failure", OK, built_at, asset=f"gold/{kpi}")


def new_york(clock: str) -> datetime:
    """The clock in New York on the day of `NOW`, in winter time."""
    hours, minutes = clock.split(":")
    return datetime(2026, 3, 4, int(hours) + 5, int(minutes), tzinfo=UTC)
