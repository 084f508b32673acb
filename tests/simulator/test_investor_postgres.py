"""The transactions in PostgreSQL are those of the files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg2
import pytest

from ops_project.settings import Settings
from ops_project.simulator import simulate
from tests import postgres
from tests.simulator.conftest import END, SCALE, home

pytestmark = [
    pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING),
    pytest.mark.xdist_group("postgres_simulated"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("postgres")) as found:
        yield found


def asked(url: str, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


def test_the_database_gets_what_the_files_would_bring(url: str, week: Settings, tmp_path: Path) -> None:
    settings = home(tmp_path)
    for days in (7, 2):  # the second delivery changes nothing
        simulate(settings, domain="investor", days=days, end=END, scale=SCALE, postgres=url)
    assert not list(settings.inbound.rglob("transactions_*"))
    sql = "SELECT count(*), min(transaction_id), max(transaction_id), sum(quantity * CAST(unit_revenue AS decimal(12, 2))), max(updated_at) FROM "
    expected = duckdb.sql(f"{sql} '{week.inbound}/investor/transactions_*.csv'").fetchall()
    assert [tuple(map(str, row)) for row in asked(url, f"{sql} transactions")] == [
        tuple(map(str, row)) for row in expected
    ]


def test_a_row_that_does_not_fit_changes_nothing(url: str, tmp_path: Path) -> None:
    simulate(home(tmp_path / "before"), domain="investor", days=1, end=END, scale=SCALE, postgres=url)
    before = asked(url, "SELECT count(*), max(updated_at) FROM transactions")
    with pytest.raises(ValueError, match=r"transactions_20260312\.csv does not fit table transactions: .*integer"):
        simulate(
            home(tmp_path / "after"),
            domain="investor",
            days=1,
            end=END,
            scale=SCALE,
            postgres=url,
            faults=["changed_type:transactions"],
        )
    assert asked(url, "SELECT count(*), max(updated_at) FROM transactions") == before
