"""A home of an earlier version holds files and rows of the years 1 and 9999. All other tables are built as if these
files and rows did not exist.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops_project.sql_text import identifier
from tests.numbers.site import CLOCKS, Site

ENDS = ("0001-01-01", "9999-12-31")
DOMAINS = ("ecommerce", "investor", "streaming", "insurance", "marketing")
PLAUSIBLE = "between date '2000-01-01' and date '2100-01-01'"
MOST_ROWS = 100_000
"""The largest plausible number of rows. Only a table with a row for each day of ten thousand years would have more."""


def let_in(site: Site) -> None:
    """The files that the earlier version loaded without a finding: for each feed one at each end of the calendar."""
    with site.connect() as connection:
        for feed in site.feeds:
            for end in ENDS:
                _let_in(connection, feed.name, feed.key, end)


def _let_in(connection: duckdb.DuckDBPyConnection, feed: str, key: tuple[str, ...], end: str) -> None:
    [(sequence,)] = connection.execute("select max(load_seq) + 1 from ops.batches").fetchall()
    batch = f"{feed}-{sequence}-earlier"
    told = {"_batch_id": f"'{batch}'", "_load_seq": str(sequence)}
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'bronze' and table_name = ?", [feed]
    ).fetchall()
    for name, kind in columns:
        if name in key and kind == "VARCHAR":
            told[name] = f"{identifier(name)} || '-{end[0]}'"
        elif name in key and kind in ("SMALLINT", "INTEGER", "BIGINT"):
            told[name] = f"{identifier(name)} + {900_000 + int(end[0])}"
        elif kind == "DATE":
            told[name] = f"date '{end}'"
        elif name == "ingestion_timestamp":
            # The date is much earlier, because streaming validates what came within one hour.
            told[name] = "timestamp '2020-01-01 00:00:00'"
        elif kind.startswith("TIMESTAMP"):
            told[name] = f"timestamp '{end} 10:00:00'"
    replaced = ", ".join(f"{value} as {identifier(name)}" for name, value in told.items())
    connection.execute(
        f"insert into bronze.{identifier(feed)} by name select * replace ({replaced})"
        f" from bronze.{identifier(feed)} where business_date {PLAUSIBLE} limit 1"
    )
    connection.execute(
        f"insert into ops.batches by name select * replace ('{batch}' as batch_id, date '{end}' as business_date,"
        f" {sequence} as load_seq, 'of_{end}_' || file_name as file_name, sha256 || '{sequence}' as sha256,"
        " 1 as rows_in, 1 as rows_loaded, 0 as rows_quarantined, 0 as rows_filtered, 0 as rows_collapsed)"
        " from ops.batches where feed = ? and status = 'loaded' limit 1",
        [feed],
    )
    connection.execute(
        "insert into ops.touched_dates (feed, business_date, load_seq) values (?, ?, ?)",
        [feed, date.fromisoformat(end), sequence],
    )


def by_day(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of silver and gold with a business date: its rows of plausible days, without clocks."""
    found = {}
    tables = site.ask(
        "select schema_name, table_name from duckdb_columns() where column_name = 'business_date'"
        " and schema_name in ('silver', 'gold') and not table_name like '%__dbt_%' order by all"
    )
    for schema, table in tables:
        columns = [
            name
            for name, kind in site.ask(
                "select column_name, data_type from duckdb_columns()"
                f" where schema_name = '{schema}' and table_name = '{table}'"
            )
            if name not in CLOCKS and kind != "TIMESTAMP" and not name.startswith("_")
        ]
        listed = ", ".join(map(identifier, columns))
        name = f"{schema}.{identifier(table)}"
        [(rows,)] = site.ask(f"select count(*) from {name}")
        assert rows <= MOST_ROWS, f"{name} has {rows} rows"
        found[name] = site.ask(f"select {listed} from {name} where business_date {PLAUSIBLE} order by all")
    return found


@pytest.mark.soak
@pytest.mark.parametrize("domain", DOMAINS)
def test_the_other_days_are_built_as_if_there_were_none(domain: str, played: Any, tmp_path: Path) -> None:
    before = played(domain).site
    shutil.copytree(before.home, tmp_path / "home", symlinks=True)
    site = Site(tmp_path / "home", domain, clock=before.clock, may_reject=True)
    plain = by_day(site)
    let_in(site)
    site.run()
    site.build(anew=True)
    assert {name: rows for name, rows in by_day(site).items() if rows != plain[name]} == {}
