"""The parts of a home that may be outside of its folder: the ledger, Dagster's storage and the model registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ops_project.dagster_bridge.storage_place import storage_place
from ops_project.model.platform import Platform
from ops_project.pipeline.recovery.databases.outside import Outside, Place, sort_out
from ops_project.settings import Settings


def outside(settings: Settings, platform: Platform, home: Path | None = None) -> Outside:
    """The ledger, Dagster's storage and the model registry, unless they are in the home's folder. No database is
    opened.

    `home`: a folder with a copy of the home's files. If it is given, the dagster.yaml of this copy is read.
    """
    folder = (home or settings.home) / settings.dagster_home.name
    return sort_out(_places(settings, folder), platform.backups.elsewhere)


def _places(settings: Settings, dagster_home: Path) -> Iterator[Place]:
    for part, what, url in (
        ("ledger", "the ledger", settings.ledger_url),
        ("registry", "the model registry", settings.registry_url),
    ):
        if not _in_home(url, settings.home):
            yield Place(part, what, url)
    found = storage_place(dagster_home, Settings.secret)
    for url in found.postgres:
        yield Place("dagster", "Dagster's storage", url)
    for words in found.elsewhere:
        yield Place("dagster", "Dagster's storage", words=words)


def _in_home(url: str, home: Path) -> bool:
    if not url.startswith("sqlite:///"):
        return False
    return Path(url.removeprefix("sqlite:///")).resolve().is_relative_to(home.resolve())
