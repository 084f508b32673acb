from __future__ import annotations

import time

import duckdb
import pytest

from ops_project.pipeline.warehouse.time_limit import limited

ENDLESS = "select count(*) from range(1000000000) a, range(1000000) b"


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def test_an_endless_question_ends_although_the_limit_passed_between_two_of_its_statements(connection):
    with pytest.raises(duckdb.InterruptException), limited(connection, 0.05):
        connection.execute("select 1")
        time.sleep(0.1)
        connection.execute(ENDLESS)


def test_what_comes_after_the_block_is_not_interrupted(connection):
    with limited(connection, 0.05):
        assert connection.execute("select 1").fetchall() == [(1,)]
    began = time.monotonic()
    while time.monotonic() - began < 0.2:
        connection.execute("select sum(range) from range(100000)").fetchall()


def test_a_connection_that_was_closed_in_the_block_is_no_error(connection):
    with limited(connection, 0.05):
        connection.close()
        time.sleep(0.1)
