"""The home without rows that tests share is the one that dbt would build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops_project.settings import Settings
from tests.mutation import cases

SCHEMA = (
    "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal",
    "select schema_name, table_name, constraint_type, constraint_text from duckdb_constraints()",
    "select schema_name, view_name from duckdb_views() where not internal",
    "select schema_name, table_name, index_name from duckdb_indexes()",
    # dbt also notes in ops which models it has built.
    "select schema_name, table_name, estimated_size from duckdb_tables() where schema_name <> 'ops'",
)


def schema(settings: Settings) -> list[list[tuple[Any, ...]]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return [connection.execute(f"{question} order by all").fetchall() for question in SCHEMA]


@pytest.mark.soak
def test_it_has_the_tables_columns_and_constraints_that_dbt_makes(tmp_path: Path) -> None:
    by_dbt, without = cases.empty_home(tmp_path / "dbt"), cases.empty_home_without_dbt(tmp_path / "without")
    assert schema(without) == schema(by_dbt)
