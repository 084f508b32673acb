"""Everything that definitions are made from, loaded once for a code location."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

from ops_project.catalog import Catalog
from ops_project.catalog import load as load_catalog
from ops_project.defs.shared.partitions import daily_partitions
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
from ops_project.settings import Settings

# Code references are in beta, and said so at every asset; the contract snapshots would notice a change.
warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"ops_project\.")


@dataclass(frozen=True)
class Site:
    """One home, one configuration, one parsed dbt project."""

    settings: Settings
    catalog: Catalog
    dbt: DbtManifest
    blocking: set[tuple[tuple[str, ...], str]] = field(default_factory=set)
    """(asset key, name) of every blocking check, collected while the definitions are made."""

    @classmethod
    def load(cls, settings: Settings | None = None) -> Site:
        """Raises ConfigError or DbtParseError, each with every mistake it can name."""
        settings = settings or Settings.load()
        return cls(settings, load_catalog(settings), load_manifest())

    @cached_property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """Business dates, from the configured start."""
        return daily_partitions(self.catalog.platform, self.settings)

    def owners(self, names: tuple[str, ...] | list[str]) -> list[str]:
        """Owners as Dagster wants them. Raises KeyError for somebody who is nobody."""
        return [self.catalog.owners.dagster(name) for name in names]
