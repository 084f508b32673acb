"""Loads everything that the definitions of a code location are made from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import dagster as dg

from ops_project.catalog import Catalog
from ops_project.catalog import load as load_catalog
from ops_project.column_lineage import ColumnLineage
from ops_project.defs.shared.partitions import daily_partitions
from ops_project.model.document import ConfigError, ConfigProblem
from ops_project.pipeline.column_lineage.project import column_lineage
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.dbt_engine.manifest import load as load_manifest
from ops_project.pipeline.dbt_engine.overlay import project_dir
from ops_project.pipeline.landing.contract_sql import require_expressions
from ops_project.settings import Settings

# Code references are a beta feature, so Dagster would warn about each asset. The warnings are not needed, because a
# test of the definitions would show a change of this feature.
warnings.filterwarnings("ignore", category=dg.BetaWarning, module=r"ops_project\.")


@dataclass(frozen=True)
class Site:
    """One home, one configuration, one parsed dbt project."""

    settings: Settings
    catalog: Catalog
    dbt: DbtManifest
    blocking: set[tuple[tuple[str, ...], str]] = field(default_factory=set)
    """(asset key, name) of every blocking check. The set is filled while the definitions are made."""

    @classmethod
    def load(cls, settings: Settings | None = None) -> Site:
        """The site. Raises ConfigError or DbtParseError with all mistakes that were found."""
        settings = settings or Settings.load()
        catalog = load_catalog(settings)
        require_expressions(catalog)
        return cls(settings, catalog, load_manifest(project_dir(catalog)))

    @cached_property
    def columns(self) -> ColumnLineage:
        """The origin of each column of each table."""
        return column_lineage(self.catalog, self.dbt)

    @cached_property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """Business dates, from the configured start."""
        return daily_partitions(self.catalog.platform, self.settings)

    def owners(self, names: Sequence[str], *, named_in: Path | None = None) -> list[str]:
        """The owners in the form that Dagster needs. Raises ConfigError for an owner that does not exist.

        `named_in`: the file that names the owners, if this file is not part of the configuration.
        """
        owners = self.catalog.owners
        missing = [name for name in names if owners.resolve(name) is None]
        if missing:
            document = self.catalog.documents["owners.yaml"]
            where = f", and {named_in} names it" if named_in is not None else ""
            valid = ", ".join(owners.valid())
            raise ConfigError(
                [
                    ConfigProblem(
                        document.file,
                        document.line("teams"),
                        f"owner {name!r} does not exist{where}; add it here, or name another owner; valid: {valid}",
                    )
                    for name in missing
                ]
            )
        return [owners.dagster(name) for name in names]
