"""Anything that looks like personal data does not reach Dagster's log, even if no contract declares it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.masked_events import unmasked
from ops_project.settings import Settings
from tests import postgres

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("dagster_postgres", reason="the extra `postgres` is not installed here")
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url.replace("postgresql://", "postgresql+psycopg2://")


def with_postgres(settings: Settings, url: str, storage: str) -> None:
    dagster_home.ensure(settings)
    file = settings.dagster_home / "dagster.yaml"
    text = file.read_text(encoding="utf-8")
    before, _, after = text.partition("storage:\n")
    after = after[after.index("# Steps log") :]
    file.write_text(f"{before}storage:\n{storage.replace('URL', url)}\n{after}", encoding="utf-8")


def stored_in_files(settings: Settings) -> list[str]:
    return [
        str(row)
        for file in Path(settings.dagster_home).rglob("*.db")
        for (table,) in sqlite3.connect(file).execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for row in sqlite3.connect(file).execute(f'SELECT * FROM "{table}"').fetchall()
    ]


def stored_in_postgres(url: str) -> list[str]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        tables = sqlalchemy.inspect(connection).get_table_names()
        rows = [row for table in tables for row in connection.execute(sqlalchemy.text(f'SELECT * FROM "{table}"'))]
    engine.dispose()
    return [str(row) for row in rows]


def test_no_event_holds_personal_data(instance: dg.DagsterInstance, settings: Settings) -> None:
    assert unmasked(instance) is None
    run_id = build(instance)
    check_texts(stored_in_files(settings))
    check_what_is_read_again(instance, run_id)


def test_no_event_in_postgresql_holds_personal_data(settings: Settings, server: str) -> None:
    ours = """\
  custom:
    module: ops_project.dagster_bridge.postgres_storage
    class: Storage
    config: {postgres_url: "URL"}"""
    with_postgres(settings, server, ours)
    with settings.exported(), bridge.open_instance(settings) as instance:
        assert unmasked(instance) is None
        run_id = build(instance)
        check_texts(stored_in_postgres(server))
        check_what_is_read_again(instance, run_id)


def test_a_storage_that_does_not_mask_is_told(settings: Settings, server: str) -> None:
    with_postgres(settings, server, '  postgres: {postgres_url: "URL"}')
    with settings.exported(), bridge.open_instance(settings) as instance:
        words = unmasked(instance)
    assert words is not None
    assert "PostgresEventLogStorage" in words and "SECURITY.md" in words


def build(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([people, clean, broken], instance=instance, raise_on_error=False)
    assert not result.success
    return result.run_id


def check_texts(texts: list[str]) -> None:
    assert any("could not convert" in text for text in texts)
    for value in PERSONAL:
        assert not any(value in text for text in texts), value


def check_what_is_read_again(instance: dg.DagsterInstance, run_id: str) -> None:
    outcome = bridge.outcome(instance, run_id)
    assert ("people",) in outcome.built
    assert [check.name for check in outcome.checks] == ["clean"]
    [(step, words)] = outcome.failures
    assert step == "broken"
    assert "could not convert ***@***" in words
    event = instance.get_latest_materialization_event(dg.AssetKey("people"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["count"].value == 3
