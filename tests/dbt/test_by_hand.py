"""The benchmark's hand-written SQL gives the rows that dbt gives; else it would measure something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from ops_project.settings import PROJECT_ROOT
from tests.dbt.shop import Shop, rows_of

BY_HAND = PROJECT_ROOT / "tests" / "benchmarks" / "ecommerce_sql"


def test_the_same_rows(built_at_once: Shop, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(built_at_once.settings.warehouse, copy)
    clock = {"as_of": built_at_once.clock.replace(tzinfo=None), "as_of_date": built_at_once.clock.date()}
    with duckdb.connect(str(copy)) as connection:
        for file in sorted(BY_HAND.glob("*.sql")):
            schema = "gold" if file.name[0] == "3" else "silver"
            table = f"{schema}.{file.stem.split('_', 1)[1]}"
            expected = rows_of(connection, table)
            sql = file.read_text(encoding="utf-8")
            names = [name for name in clock if f"${name}::" in sql]
            connection.execute(sql, {name: clock[name] for name in names})
            assert rows_of(connection, table) == expected, table
            assert expected, table
