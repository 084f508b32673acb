"""A home whose clock is moved by hand, with the real ledger, the real cycle and the shipped configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from ops_project import catalog
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.model.duration import parse_duration
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.incidents.decide.incident import Incident
from ops_project.operations.ledger import Ledger
from ops_project.settings import CONFIG_DIR, Settings

NEW_YORK = ZoneInfo("America/New_York")
GRAPH = {
    "bronze/transactions": ((), "investor"),
    "silver/fact_transactions": (("bronze/transactions",), "investor"),
    "gold/kpi_aggregate_profit": (("silver/fact_transactions",), "investor"),
    "bronze/orders": ((), "ecommerce"),
    "gold/daily_revenue": (("bronze/orders",), "ecommerce"),
    "bronze/policies": ((), "insurance"),
}
OWNERS = {"investor": "team:investor-metrics", "ecommerce": "team:ecommerce-data", "insurance": "team:insurance-data"}
Change = Callable[[dict[str, Any]], None]
"""Changes the content of a configuration file in place."""
STEP = timedelta(minutes=5)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


class IncidentWorld:
    """One home. Expected messages are named; any other message fails the story."""

    def __init__(self, tmp_path: Path, at: str, **overlay: Change) -> None:
        self.overlay: Path | None = None
        if overlay:
            self.overlay = tmp_path / "overlay"
            self.overlay.mkdir(exist_ok=True)
        self.settings = Settings.load(home=tmp_path / "home", overlay=self.overlay, environ={})
        for name, change in overlay.items():
            self.configure(name, change)
        self.ledger = Ledger.open(self.settings.ledger_url)
        self.lineage = Lineage.of(
            AssetFacts(key, upstream=up, owners=(OWNERS[domain],), domain=domain, tier="1", layer=key.split("/")[0])
            for key, (up, domain) in GRAPH.items()
        )
        self.now = new_york(at)
        self.count = 0
        self.seen = 0

    def configure(self, name: str, change: Change) -> None:
        """Change a file of the configuration, for good."""
        assert self.overlay is not None, "a story that changes its configuration begins with an overlay"
        path = self.overlay / f"{name}.yaml"
        source = path if path.exists() else CONFIG_DIR / f"{name}.yaml"
        data = yaml.safe_load(source.read_text())
        change(data)
        path.write_text(yaml.safe_dump(data, sort_keys=False))

    def job_fails(
        self, pipeline: str = "investor_pipeline", domain: str = "investor", state: str = FIRING, **fields: Any
    ) -> None:
        self.signal("run.failure", state, pipeline=pipeline, domain=domain, labels={"scheduled": "true"}, **fields)

    def job_succeeds(self, pipeline: str = "investor_pipeline", domain: str = "investor") -> None:
        self.job_fails(pipeline, domain, OK)

    def asset_fails(self, asset: str, state: str = FIRING, **fields: Any) -> None:
        self.signal("asset.failure", state, asset=asset, domain=GRAPH[asset][1], **fields)

    def signal(self, kind: str, state: str, **fields: Any) -> None:
        self.count += 1
        owner = OWNERS.get(fields.get("domain", ""), "")
        self.ledger.append(
            [
                Signal(
                    kind=kind,
                    state=state,
                    event_at=self.now,
                    observed_at=self.now,
                    occurrence=str(self.count),
                    owners=(owner,) if owner else (),
                    **{"value": float(state == FIRING), **fields},
                )
            ],
            now=self.now,
        )

    def cycle(self) -> CycleReport:
        return run_once(
            self.settings,
            catalog.load(self.settings),
            self.now,
            lineage=self.lineage,
            clock=lambda: self.now,
            observers=(),
            holder="test",
        )

    def advance(self, span: str, step: timedelta = STEP) -> None:
        until = self.now + parse_duration(span)
        self.cycle()
        while self.now < until:
            self.now = min(self.now + step, until)
            self.cycle()

    def restart(self) -> None:
        """Start again as another process would: only the ledger is kept."""
        self.ledger.close()
        self.ledger = Ledger.open(self.settings.ledger_url)

    def calls(self) -> list[str]:
        """`kind > recipient` of each incident message since the last look. The addresses of e-mails are left out."""
        rows = [row for row in reversed(self.ledger.outbox_list(None, 100_000)) if row["id"] > self.seen]
        self.seen = max([self.seen, *(row["id"] for row in rows)])
        return sorted(
            row["recipient"] for row in rows if row["kind"] == "incident" and row["channel"].endswith("-file")
        )

    def pages(self) -> Counter[str]:
        rows = self.ledger.outbox_list(None, 100_000)
        return Counter(r["recipient"] for r in rows if r["channel"] == "on-call/0-file" and r["kind"] == "alert")

    def incident(self, number: int = 1) -> Incident | None:
        return self.ledger.incident(number)

    def timeline(self, number: int = 1) -> list[str]:
        return [event.reason.value for event in self.ledger.incident_timeline(number)]
