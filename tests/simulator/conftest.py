"""One small simulated week of every domain, made once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops_project import catalog as catalogs
from ops_project.catalog import Catalog
from ops_project.pipeline.landing import LandingResult, ensure_tables, land
from ops_project.settings import Settings
from ops_project.simulator import simulate

END = date(2026, 3, 12)
# The morning after the last day, New York.
NOW = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
SCALE = 0.05
Deliver = Callable[..., Settings]


def home(path: Path, overlay: Path | None = None) -> Settings:
    return Settings.load(home=path, overlay=overlay, as_of=NOW, environ={})


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return catalogs.load(Settings.load(home="/nonexistent", environ={}))


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Seven days of all domains. Tests only read them."""
    settings = home(tmp_path_factory.mktemp("week"))
    simulate(settings, days=7, end=END, scale=SCALE)
    return settings


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three days of all domains. Tests only read them."""
    settings = home(tmp_path_factory.mktemp("clean"))
    simulate(settings, days=3, end=END, scale=SCALE)
    return settings


@pytest.fixture
def broken(tmp_path: Path) -> Deliver:
    """Three days with faults, and optionally the domain."""

    def deliver(*faults: str, **asked: Any) -> Settings:
        settings = home(tmp_path / "home")
        simulate(settings, **{"days": 3, "end": END, "scale": SCALE, "faults": faults, **asked})
        return settings

    return deliver


def landed(settings: Settings, catalog: Catalog, *feeds: str) -> dict[str, LandingResult]:
    """Land the feeds of a home into a fresh warehouse in memory."""
    with duckdb.connect() as connection:
        ensure_tables(connection, [catalog.feeds[name] for name in feeds])
        return {
            name: land(
                connection,
                catalog.feeds[name],
                inbound=settings.inbound,
                archive=settings.archive,
                now=settings.now(),
                run_id="test",
            )
            for name in feeds
        }
