"""What looks like personal data does not reach Dagster's log, also where no contract declares it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge import runs as bridge
from ops_project.settings import Settings

PERSONAL = ("ann.lee@example.com", "+1 555-123-4567", "+4915112345678", "4111 1111 1111 1111", "219-09-9999")
SAID = "could not convert " + "; ".join(PERSONAL)


@dg.asset
def people(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    context.log.info(SAID)
    return dg.MaterializeResult(metadata={"sample": SAID, "rows": dg.MetadataValue.json([{"who": SAID}]), "count": 3})


@dg.asset_check(asset=people)
def clean() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description=SAID, metadata={"table": dg.MetadataValue.md(SAID)})


@dg.asset(deps=[people])
def broken() -> None:
    raise ValueError(SAID)


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    dagster_home.ensure(settings)
    with settings.exported(), bridge.open_instance(settings) as opened:
        yield opened


def test_no_event_holds_personal_data(instance: dg.DagsterInstance, settings: Settings) -> None:
    result = dg.materialize([people, clean, broken], instance=instance, raise_on_error=False)
    assert not result.success
    texts = [
        str(row)
        for file in Path(settings.dagster_home).rglob("*.db")
        for (table,) in sqlite3.connect(file).execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for row in sqlite3.connect(file).execute(f'SELECT * FROM "{table}"').fetchall()
    ]
    assert any("could not convert" in text for text in texts)
    for value in PERSONAL:
        assert not any(value in text for text in texts), value

    outcome = bridge.outcome(instance, result.run_id)
    assert ("people",) in outcome.built
    assert [check.name for check in outcome.checks] == ["clean"]
    [(step, words)] = outcome.failures
    assert step == "broken"
    assert "could not convert ***@***" in words
    event = instance.get_latest_materialization_event(dg.AssetKey("people"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["count"].value == 3
