"""The operations layer over any Dagster project: one call in its definitions, and a folder of YAML.

Nothing of the project is moved or changed, and no table of it is read: Dagster's own event log shows what happens, and
the assets name their owners. Our five pipelines are left out: they take no part in such a home.
"""

from __future__ import annotations

import logging
from pathlib import Path

import dagster as dg

from ops_project.catalog import Catalog, ConfigError
from ops_project.catalog import load as load_catalog
from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.defs.operations.evidence import sources_of
from ops_project.defs.operations.observers import observers_of
from ops_project.defs.operations.sensors import Watch, sensors
from ops_project.model.alerting.consistency import check_promises
from ops_project.operations.oncall.lint import unknown_owners
from ops_project.settings import Settings, SettingsError

logger = logging.getLogger("dagster.operations")  # Dagster prints what is logged under its own name.


def with_operations(
    definitions: dg.Definitions, *, home: str | Path | None = None, config: str | Path | None = None
) -> dg.Definitions:
    """The definitions with the two sensors of the alert path, which are switched on.

    `home`: the folder for alerts and incidents; by default OPS_HOME, or else `operations` in DAGSTER_HOME.
    `config`: the folder of YAML; by default OPS_CONFIG, or else none. Dagster's log gets a warning about each owner
    whom the folder does not know. Raises ConfigError with every mistake in the folder. A service level that names an
    asset or a job which the project does not have is a mistake too.
    """
    try:
        return _with_operations(definitions, home, config)
    except (ConfigError, SettingsError) as error:
        # Dagster prints the trace below the words. The line that made the call is enough; our own would bury the words.
        raise error.with_traceback(None) from None


def _with_operations(definitions: dg.Definitions, home: str | Path | None, config: str | Path | None) -> dg.Definitions:
    settings = Settings.watching(home, config)
    catalog = load_catalog(settings)
    _check_promises(catalog, definitions)
    _tell_unknown_owners(catalog, definitions)
    watch = Watch(
        settings,
        catalog,
        observers_of(settings),
        sources_of(settings),
        prepare=lambda: _note(settings),
    )
    return dg.Definitions.merge(definitions, dg.Definitions(sensors=sensors(watch)))


def _check_promises(catalog: Catalog, definitions: dg.Definitions) -> None:
    """Raises ConfigError for a service level that would never be reported as missed."""
    if not (catalog.slas.slas or catalog.slas.expectations):
        return
    graph = lineage_of(definitions)
    built = [fact.key for fact in graph.assets.values() if not fact.external]
    if problems := check_promises(catalog.documents["slas.yaml"], catalog.slas, built, list(graph.jobs)):
        raise ConfigError(problems)


def _tell_unknown_owners(catalog: Catalog, definitions: dg.Definitions) -> None:
    """Warns about owners who have no address. They are not refused, because the asset may belong to another team. If
    the folder declares no people and no teams, there is no warning.
    """
    if not (catalog.owners.people or catalog.owners.teams):
        return
    try:
        lineage = lineage_of(definitions)
    except dg.DagsterError:
        return  # A part of a project may be complete only after it was merged with the others.
    for name, words in unknown_owners(catalog.owners, lineage).items():
        logger.warning("owner %s: %s; `ops owners lint` shows all of them", name, words)


def _note(settings: Settings) -> str:
    if settings.secret("DAGSTER_HOME") is None:
        return "DAGSTER_HOME is not set, so Dagster forgets its runs when it ends, and nothing is watched"
    settings.watch()
    return ""
