"""An empty home, and a warehouse with a few tables in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.model.platform import Platform
from ops_project.operations.ledger import Ledger
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import Warehouse, writer
from ops_project.settings import Settings

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", as_of=NOW)


@pytest.fixture
def platform() -> Platform:
    return Platform.model_validate(
        {
            "name": "test",
            "timezone": "America/New_York",
            "start_date": "2026-01-01",
            "snapshots": {"keep": 2},
            "publishing": {"keep": 2},
        }
    )


@pytest.fixture
def warehouse(settings: Settings, platform: Platform) -> Iterator[Warehouse]:
    with writer(settings, platform, owner="test", now=NOW) as found:
        found.connection().execute(
            "CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id, range * 1.5 AS amount FROM range(10);"
            "CREATE TABLE gold.stock AS SELECT 1 AS id; CREATE VIEW gold.summary AS SELECT count(*) AS n FROM gold.sales"
        )
        yield found


def with_a_snapshot_and_an_alert(settings: Settings) -> None:
    """The home that nearly every command needs: the tables of landing in a snapshot, and the signal of an alert in a
    ledger.
    """
    loaded = catalog.load(settings)
    with writer(settings, loaded.platform, owner="test", now=NOW) as warehouse:
        ensure_tables(warehouse.connection(), loaded.feeds.values())
        snapshots.take(warehouse, run_id="run-1", as_of=NOW, commit="c0ffee")
    with Ledger.open(settings.ledger_url) as ledger:
        ledger.append([Signal("asset.failure", FIRING, NOW, NOW, "1", 1.0, asset="gold/daily_revenue")])
