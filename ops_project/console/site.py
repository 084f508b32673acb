"""The site: everything that a page of the console needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from ops_project.catalog import Catalog, load
from ops_project.column_lineage import ColumnLineage
from ops_project.console.access.attempts import Attempts
from ops_project.console.warehouse import SnapshotReader
from ops_project.dagster_bridge.build_times import RunTimes
from ops_project.lineage import Lineage
from ops_project.operations.alerting.decide.state import AlertConfig
from ops_project.operations.alerting.engine_config import alert_config
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger.lineage_document import recall
from ops_project.process import ui_address
from ops_project.settings import Settings

RunCommand = Callable[[Settings, list[str]], tuple[bool, str]]
"""Runs `ops` with these words on this home. Returns whether the command succeeded, and its output."""


def no_command(_settings: Settings, _words: list[str]) -> tuple[bool, str]:
    """Used if the application was given no way to run commands."""
    return False, "this server was started without a way to run commands; run it in a shell"


@dataclass(frozen=True)
class Site:
    """One home: its settings, its clock, its configuration, its ledger and its newest snapshot."""

    settings: Settings
    clock: Callable[[], datetime]
    run_command: RunCommand = no_command
    names: frozenset[str] = frozenset({"localhost"})
    """The names under which browsers reach this machine."""
    reader: SnapshotReader = field(init=False)
    attempts: Attempts = field(default_factory=Attempts)
    kept: dict[str, tuple[str, Any]] = field(default_factory=dict, repr=False)
    """Values that are expensive to read: name → (the mark at the time of reading, the value)."""
    run_times: dict[str, RunTimes] = field(default_factory=dict, repr=False)
    """Id of a run that has ended → how long its parts took."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", SnapshotReader(self.settings))

    @property
    def catalog(self) -> Catalog:
        """The present configuration. The loader reads it again only if a file has changed."""
        return load(self.settings)

    @property
    def ledger(self) -> Ledger:
        return open_ledger(self.settings)

    @property
    def lineage(self) -> Lineage:
        """The asset graph, as it was stored by the last process that had loaded the definitions."""
        return recall(self.ledger)

    def kept_while(self, name: str, mark: str, read: Callable[[], Any]) -> Any:
        """The result of `read`, stored under `name`. `read` is called again only when `mark` has changed."""
        found = self.kept.get(name)
        if found is None or found[0] != mark:
            found = (mark, read())
            self.kept[name] = found
        return found[1]

    @property
    def columns(self) -> ColumnLineage | None:
        """The origin of each column; None if no run has stored it in this home."""
        versions = self.ledger.column_versions()
        if not versions:
            return None
        found: ColumnLineage | None = self.kept_while("columns", versions[0].version, self.ledger.columns)
        return found

    @property
    def engine(self) -> AlertConfig:
        """The configuration that decides about alerts."""
        return alert_config(self.settings, self.catalog, self.lineage)

    @property
    def ui_url(self) -> str:
        """The address of the Dagster UI; empty if the UI was never started."""
        return self.settings.secret("OPS_UI_URL") or ui_address.recall(self.settings)


def site_of(request: Request) -> Site:
    """The site that a page belongs to."""
    found: Site = request.app.state.site
    return found
