"""A home with the overlay of a daemon, and shells that have the overlay or lack it. Which of these processes decides?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.ledger import open_ledger
from ops_project.settings import CONFIG_DIR, Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILED = Signal(
    "run.failure",
    FIRING,
    NOW,
    NOW,
    "r1",
    1.0,
    pipeline="master_pipeline",
    labels={"scheduled": "true"},
    owners=("team:ecommerce-data",),
)


def _shipped(name: str) -> Any:
    return yaml.load((CONFIG_DIR / name).read_text(encoding="utf-8"), yaml.CSafeLoader)  # of 25 ms, it takes 3


class Place:
    """A home, the daemon's overlay with a rule and a receiver of its own, and shells with and without it."""

    def __init__(self, folder: Path) -> None:
        self.overlay = folder / "overlay"
        self.overlay.mkdir()
        rules = _shipped("rules.yaml")
        rules["rules"]["acme_rule"] = {
            "title": "Acme failed",
            "severity": "high",
            "category": "data",
            "runbook": "models",
            "response": "Look at Acme.",
            "all": [{"metric": "run.failure", "match": ["pipeline=acme"]}],
        }
        self._write("rules.yaml", rules)
        receivers = _shipped("receivers.yaml")
        receivers["receivers"]["acme"] = {"title": "Acme", "channels": [{"type": "file"}]}
        self._write("receivers.yaml", receivers)
        routes = _shipped("routes.yaml")
        routes["route"]["routes"].insert(0, {"matchers": ["pipeline=acme"], "receiver": "acme", "continue": True})
        self._write("routes.yaml", routes)
        self.plain = Settings.load(home=folder / "home")
        self.theirs = replace(self.plain, overlay=self.overlay)
        self.ledger = open_ledger(self.plain)

    def _write(self, name: str, body: Any) -> None:
        (self.overlay / name).write_text(yaml.dump(body, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")

    def cycle(self, settings: Settings, at: datetime, **options: Any) -> CycleReport:
        return run_once(settings, catalog.load(settings), at, observers=options.pop("observers", ()), **options)

    def rules(self) -> set[str]:
        return {alert.rule for alert in self.ledger.alerts("open")}
