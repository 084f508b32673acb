"""The disk is full while dbt builds: the model says so, the table stays as it was, and the next build is complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from ops_project import catalog
from ops_project.failures import classify_message
from ops_project.pipeline.dbt_engine import manifest, runner
from ops_project.pipeline.landing import ensure_tables
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.small_disk import fill, free, small_disk

SIZE = 64 * 1024 * 1024
# This table is built anew each time, from bronze alone.
MODEL, FEED = "int_experiment_assignments", "experiment_assignments"


def build(settings: Settings) -> runner.DbtResult:
    with settings.exported():
        invocation = runner.build(manifest.load(), settings, select=[MODEL], as_of=NOW, with_tests=False)
        for _event in invocation:
            pass
    return invocation.result


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse)) as connection:
        return connection.execute(sql).fetchall()


def test_a_model_that_does_not_fit_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    with small_disk(settings.warehouse.parent, SIZE) as disk:
        with duckdb.connect(str(settings.warehouse)) as connection:
            ensure_tables(connection, [catalog.load(settings).feeds[FEED]])
            connection.execute(f"CREATE SCHEMA silver; CREATE TABLE silver.{MODEL} AS SELECT 'as it was' AS built")
        fill(disk)
        [error] = build(settings).errors
        assert MODEL in error and "No space left on device" in error
        assert classify_message(error).failure_class == "storage_full"
        free(disk)
        assert query(settings, f"SELECT * FROM silver.{MODEL}") == [("as it was",)]
        assert query(settings, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'silver'") == [(MODEL,)]
        assert build(settings) == runner.DbtResult()
        assert query(settings, f"SELECT * FROM silver.{MODEL}") == []
