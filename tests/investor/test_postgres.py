"""Transactions from a real PostgreSQL server are read without changing anything: only what changed since the last read,
with late commits, and no version is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest

from ops_project import catalog
from ops_project.pipeline.landing import ensure_tables, land
from ops_project.pipeline.landing.sources.postgres import SourceError, extract
from ops_project.settings import Settings
from tests import postgres

pytestmark = [
    pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING),
    pytest.mark.xdist_group("postgres"),
]

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
COLUMNS = (
    "transaction_id bigint, unit_id text, occurred_at timestamp, product_line text, region text, channel text,"
    " quantity integer, unit_revenue numeric(12,2), unit_cost numeric(12,2), currency text, status text,"
    " updated_at timestamp"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture
def source(server: str) -> Iterator[Any]:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop table if exists transactions; create table transactions ({COLUMNS})")
        yield cursor
    connection.close()


def sell(
    source: Any, number: int, occurred: str, updated: str, revenue: str = "10.00", status: str = "settled"
) -> None:
    source.execute("delete from transactions where transaction_id = %s", [number])
    source.execute(
        "insert into transactions values (%s, 'UNT1', %s, 'subscription', 'europe', 'search', 1, %s, 4.00, 'USD', %s, %s)",
        [number, occurred, revenue, status, updated],
    )


@pytest.fixture
def feed() -> Any:
    return catalog.load(Settings.load()).feeds["transactions"]


@pytest.fixture
def bronze(feed: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        ensure_tables(connection, [feed])
        yield connection


def load(server: str, feed: Any, bronze: Any, home: Path, now: datetime = NOON) -> list[str]:
    files = extract(server, feed, bronze, inbound=home / "inbound", now=now)
    land(bronze, feed, inbound=home / "inbound", archive=home / "archive", now=now, run_id="r")
    return [path.name[:21] for path in files]


def versions(bronze: Any) -> list[tuple[int, str, str]]:
    return bronze.execute(
        "select transaction_id, unit_revenue::varchar, updated_at::date::varchar from bronze.transactions order by all"
    ).fetchall()


def test_first_everything_then_what_changed_and_nothing_twice(
    server: str, source: Any, feed: Any, bronze: Any, tmp_path: Path
) -> None:
    sell(source, 1, "2026-01-05 10:00:00", "2026-01-05 10:00:00")
    sell(source, 2, "2026-01-06 10:00:00", "2026-01-06 10:00:00")
    assert load(server, feed, bronze, tmp_path) == ["transactions_20260105", "transactions_20260106"]
    assert load(server, feed, bronze, tmp_path) == []
    sell(source, 3, "2026-01-07 09:00:00", "2026-01-07 09:00:00")
    assert load(server, feed, bronze, tmp_path) == ["transactions_20260107"]
    assert [row[0] for row in versions(bronze)] == [1, 2, 3]


def test_a_commit_that_comes_late_is_read_by_the_overlap(
    server: str, source: Any, feed: Any, bronze: Any, tmp_path: Path
) -> None:
    sell(source, 1, "2026-01-06 10:00:00", "2026-01-06 10:00:00")
    load(server, feed, bronze, tmp_path)
    sell(source, 2, "2026-01-06 09:59:00", "2026-01-06 09:59:00")
    assert load(server, feed, bronze, tmp_path) == ["transactions_20260106"]
    assert [row[0] for row in versions(bronze)] == [1, 2]


def test_a_later_version_does_not_lose_the_earlier_one(
    server: str, source: Any, feed: Any, bronze: Any, tmp_path: Path
) -> None:
    sell(source, 1, "2026-01-05 10:00:00", "2026-01-05 10:00:00", "10.00")
    sell(source, 2, "2026-01-05 11:00:00", "2026-01-05 11:00:00", "20.00")
    load(server, feed, bronze, tmp_path)
    sell(source, 1, "2026-01-05 10:00:00", "2026-01-06 08:00:00", "11.00")
    sell(source, 3, "2026-01-05 12:00:00", "2026-01-05 12:00:00", "30.00")
    load(server, feed, bronze, tmp_path)
    assert versions(bronze) == [
        (1, "10.00", "2026-01-05"),
        (1, "11.00", "2026-01-06"),
        (2, "20.00", "2026-01-05"),
        (3, "30.00", "2026-01-05"),
    ]


def test_what_lies_in_the_future_of_the_clock_is_left(
    server: str, source: Any, feed: Any, bronze: Any, tmp_path: Path
) -> None:
    sell(source, 1, "2026-01-08 11:00:00", "2026-01-08 11:00:00")
    sell(source, 2, "2026-01-08 13:00:00", "2026-01-08 13:00:00")
    load(server, feed, bronze, tmp_path)
    assert [row[0] for row in versions(bronze)] == [1]


def test_a_server_that_is_away_is_said_without_the_password(feed: Any, bronze: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        extract(
            "host=127.0.0.1 port=1 user=x password=hush dbname=x", feed, bronze, inbound=tmp_path / "inbound", now=NOON
        )
    assert "PostgreSQL cannot be reached" in str(error.value)
    assert "hush" not in str(error.value)
    assert not (tmp_path / "inbound").exists()


def test_a_table_without_a_column_of_the_contract_is_named(
    server: str, source: Any, feed: Any, bronze: Any, tmp_path: Path
) -> None:
    source.execute("alter table transactions drop column region")
    with pytest.raises(SourceError, match="region"):
        extract(server, feed, bronze, inbound=tmp_path / "inbound", now=NOON)
