"""The benchmark's hand-written SQL gives the same rows as dbt. Otherwise the benchmark would compare different work."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb

from ops_project.settings import PROJECT_ROOT
from tests.dbt.shop import Shop, rows_of

BY_HAND = PROJECT_ROOT / "tests" / "benchmarks" / "ecommerce_sql"
# This shop and that of the benchmark sell in one currency. The table must be there all the same, because orders read it.
WITHOUT_ROWS = {"silver.fact_exchange_rates"}


def rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Means and deviations of data_anomalies are doubles. They count as equal if nine digits are equal."""
    return tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in row)


def test_the_same_rows(built_at_once: Shop, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(built_at_once.settings.warehouse, copy)
    clock = {"as_of": built_at_once.clock.replace(tzinfo=None), "as_of_date": built_at_once.clock.date()}
    files = {
        f"{'gold' if file.name[0] == '3' else 'silver'}.{file.stem.split('_', 1)[1]}": file
        for file in sorted(BY_HAND.glob("*.sql"))
    }
    with duckdb.connect(str(copy)) as connection:
        by_dbt = {table: [rounded(row) for row in rows_of(connection, table)] for table in files}
        # The tables of dbt are removed, as in the benchmark. Otherwise they could stand in for a table that no file makes.
        connection.execute(
            "DROP SCHEMA silver CASCADE; DROP SCHEMA gold CASCADE; CREATE SCHEMA silver; CREATE SCHEMA gold"
        )
        for table, file in files.items():
            expected = by_dbt[table]
            sql = file.read_text(encoding="utf-8")
            names = [name for name in clock if f"${name}::" in sql]
            connection.execute(sql, {name: clock[name] for name in names})
            if "data_quality" in table:  # The rows of domains without a score come from dbt alone.
                continue
            assert [rounded(row) for row in rows_of(connection, table)] == expected, table
            assert expected or table in WITHOUT_ROWS, table
