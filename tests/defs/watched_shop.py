"""The bookshop with its own Dagster home, and the home that watches it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg

from ops_project import catalog
from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.defs.operations.evidence import sources_of
from ops_project.defs.operations.observers import observers_of
from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests import fresh_storage
from tests.defs import bookshop


class Bookshop:
    """The project with its own Dagster home, and the home that watches it."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        (folder / "dagster").mkdir(parents=True)
        (folder / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
        fresh_storage.stock_into(folder / "dagster")
        self.settings = Settings.watching(overlay=config, environ={"DAGSTER_HOME": str(folder / "dagster")})
        self.settings.watch()
        self.definitions = bookshop.definitions()
        self.lineage = lineage_of(self.definitions)
        self.ledger = open_ledger(self.settings)

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.settings.dagster_home))

    def run(self, job: str = "nightly", **tags: str) -> None:
        found = self.definitions.resolve_job_def(job)
        found.execute_in_process(instance=self.instance, raise_on_error=False, tags={**tags})

    def cycle(self, later: timedelta = timedelta()) -> None:
        now = datetime.now(UTC) + later
        run_once(
            self.settings,
            catalog.load(self.settings),
            now,
            self.instance,
            lineage=self.lineage,
            observers=observers_of(self.settings),
            evidence=sources_of(self.settings),
            flush_now=True,
        )

    def signal(self, kind: str, **facts: Any) -> None:
        now = datetime.now(UTC)
        self.ledger.append([Signal(kind, FIRING, now, now, f"{kind} now", 1.0, **facts)], now=now)

    def open(self) -> dict[str, Alert]:
        return {alert.summary: alert for alert in self.ledger.alerts("open", limit=None)}

    def told(self) -> set[tuple[str, str, str]]:
        file = self.settings.home / "alerts" / "alerts.jsonl"
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
        return {
            (line["recipient"], alert["summary"], alert["status"])
            for line in lines
            if line["kind"] == "alert"
            for alert in line["alerts"]
        }
