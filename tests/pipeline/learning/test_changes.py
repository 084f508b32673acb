"""How a file of a later day changes what was known about a customer's earlier day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.learning import changes
from tests.pipeline.learning.shop import SCHEMA
from tests.pipeline.learning.test_no_leak import told

FIRST = date(2026, 1, 1)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
EARLY, LATE = "'early', 1, 1", "'late', 2, 1"


@pytest.fixture
def bronze() -> duckdb.DuckDBPyConnection:
    """File `early` is dated 31 December (the day before the first), file `late` the third day."""
    connection = duckdb.connect()
    ensure_tables(connection, [])
    connection.execute(SCHEMA)
    listed = "feed, domain, inbound, enabled, replaces_by, absent_keys, latest_by"
    for values in (
        "'orders', 'ecommerce', '[]', true, '', '', 'updated_at'",
        "'order_items', 'ecommerce', '[]', true, 'order_id', '', ''",
    ):
        connection.execute(f"insert into ops.feeds ({listed}) values ({values})")
    connection.execute(f"insert into silver.fact_exchange_rates values ('JPY', '{FIRST}', 0.0065)")
    connection.execute("insert into ops.valid_days values ('exchange_rates', 7)")
    told(connection, THIRD)
    connection.execute("update ops.batches set business_date = ? where batch_id = 'early'", [FIRST])
    return connection


def head(
    order: str, who: str | None, day: date, at: int, file: str, status: str = "paid", currency: str = "USD"
) -> str:
    customer = f"'{who}'" if who else "null"
    return (
        f"insert into bronze.orders values ('{order}', {customer}, '{status}', date '{day}',"
        f" timestamp '2026-01-0{at} 09:00:00', '{currency}', {file})"
    )


def line(order: str, number: int, quantity: int, price: int, day: date, file: str) -> str:
    return f"insert into bronze.order_items values ('{order}', {number}, {quantity}, {price}, date '{day}', {file})"


def found(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    changes.define(connection)
    return connection.execute(f"from {changes.VIEW} order by all").fetchall()


CASES = {
    "cancelled": (
        [
            head("A", "C", FIRST, 1, EARLY),
            line("A", 1, 1, 5, FIRST, EARLY),
            head("A", "C", FIRST, 3, LATE, "cancelled"),
        ],
        [("C", FIRST, THIRD, 0, 1, 0, Decimal(0), 0)],
    ),
    "an older word of a later file": (
        [
            head("A", "C", FIRST, 2, EARLY),
            line("A", 1, 1, 5, FIRST, EARLY),
            head("A", "C", FIRST, 1, LATE, "cancelled"),
        ],
        [],
    ),
    "other lines": (
        [
            head("A", "C", FIRST, 1, EARLY),
            line("A", 1, 1, 5, FIRST, EARLY),
            line("A", 2, 1, 3, FIRST, EARLY),
            line("A", 1, 2, 5, FIRST, LATE),
            line("A", 2, -1, 3, FIRST, LATE),
        ],
        [("C", FIRST, THIRD, 0, 0, 0, Decimal(2), 0)],
    ),
    "fewer lines": (
        [
            head("A", "C", FIRST, 1, EARLY),
            line("A", 1, 1, 5, FIRST, EARLY),
            line("A", 2, 1, 3, FIRST, EARLY),
            line("A", 1, 1, 5, FIRST, LATE),
        ],
        [("C", FIRST, THIRD, 0, 0, 0, Decimal(-3), 0)],
    ),
    "moved": (
        [head("A", "C", FIRST, 1, EARLY), line("A", 1, 1, 7, FIRST, EARLY), head("A", "D", SECOND, 3, LATE)],
        [("C", FIRST, THIRD, -1, 0, -1, Decimal(-7), 0), ("D", SECOND, THIRD, 1, 0, 1, Decimal(7), 0)],
    ),
    "moved to the day of the file": (
        [head("A", "C", FIRST, 1, EARLY), line("A", 1, 1, 7, FIRST, EARLY), head("A", "C", THIRD, 3, LATE)],
        [("C", FIRST, THIRD, -1, 0, -1, Decimal(-7), 0)],
    ),
    "late": (
        [head("A", "C", FIRST, 1, LATE, "returned"), line("A", 1, 1, 9, FIRST, LATE)],
        [("C", FIRST, THIRD, 1, 1, 1, Decimal(9), 0)],
    ),
    "in time": ([head("A", "C", THIRD, 3, LATE), line("A", 1, 1, 9, THIRD, LATE)], []),
    "in yen, at the rate of the day before": (
        [head("A", "C", SECOND, 1, LATE, currency="JPY"), line("A", 1, 1, 1000, SECOND, LATE)],
        [("C", SECOND, THIRD, 1, 0, 1, Decimal("6.5"), 0)],
    ),
    "in a currency without a rate": (
        [head("A", "C", FIRST, 1, LATE, currency="XAU"), line("A", 1, 1, 1000, FIRST, LATE)],
        [("C", FIRST, THIRD, 1, 0, 1, None, 0)],
    ),
    "a guest": ([head("A", None, FIRST, 3, LATE), line("A", 1, 1, 9, FIRST, LATE)], []),
    "late views": (
        [
            f"insert into bronze.web_events values (1, 'C', 'product_view', date '{FIRST}', {EARLY}),"
            f" (2, 'C', 'product_view', date '{FIRST}', {LATE}), (3, 'C', 'add_to_cart', date '{FIRST}', {LATE})"
        ],
        [("C", FIRST, THIRD, 0, 0, 0, Decimal(0), 1)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_later_file_changes_an_earlier_day(bronze: duckdb.DuckDBPyConnection, case: str) -> None:
    said, expected = CASES[case]
    for sql in said:
        bronze.execute(sql)
    assert found(bronze) == expected
