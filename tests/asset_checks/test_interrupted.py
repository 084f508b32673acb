"""A check gives no verdict if it was interrupted or its database died: no failure, and no unknown score."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import duckdb
import pytest

from asset_checks.interruption import ends_the_step
from asset_checks.outcome import attempt
from asset_checks.primitives import score
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation
from tests.asset_checks.warehouse import Warehouse

ENDLESS = "select count(*) from range(100000) as a, range(100000) as b, range(100) as c where a.range % 7 = b.range % 5"


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    built = Warehouse()
    built.table("bronze.customers", [{"customer_id": "c1"}])
    yield built
    built.connection.close()


def endless(situation: Situation) -> str | None:
    """A check whose query is interrupted."""
    timer = threading.Timer(0.05, situation.connection.interrupt)
    timer.start()
    try:
        situation.rows(ENDLESS)
    finally:
        timer.join()
    return None


def in_a_transaction(situation: Situation) -> str | None:
    """The interruption ends the transaction, and the next statement fails for another reason."""
    situation.connection.execute("begin")
    try:
        endless(situation)
    except duckdb.Error:
        situation.rows("select 1")
    return None


@pytest.mark.parametrize("compute", [endless, in_a_transaction])
def test_an_interruption_is_raised_and_is_no_verdict(
    warehouse: Warehouse, compute: Callable[[Situation], str | None]
) -> None:
    with pytest.raises(duckdb.Error) as raised:
        attempt(warehouse.situation(), "mine", "bronze.customers", compute)
    assert ends_the_step(raised.value)


def test_a_database_that_can_no_longer_be_used_ends_the_step(warehouse: Warehouse) -> None:
    """No later check can be computed, and none of them may look as if it alone had failed."""

    def dies(_situation: Situation) -> str | None:
        raise duckdb.FatalException("database has been invalidated because of a previous fatal error")

    def dies_behind_a_library(situation: Situation) -> str | None:
        try:
            return dies(situation)
        except duckdb.FatalException as error:
            raise ValueError("no rows") from error

    for check in (dies, dies_behind_a_library):
        with pytest.raises((duckdb.FatalException, ValueError)) as raised:
            attempt(warehouse.situation(), "mine", "bronze.customers", check)
        assert ends_the_step(raised.value)


def test_a_score_whose_measuring_ends_the_step_is_not_kept_as_unknown(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "measure", lambda situation, _table: endless(situation))
    with pytest.raises(duckdb.InterruptException):
        score.evaluate_all(warehouse.situation(), TableSpec(schema="bronze", table="customers"))
    assert warehouse.connection.execute("select count(*) from ops.quality_scores").fetchone() == (0,)


def test_a_broken_question_is_no_interruption() -> None:
    with pytest.raises(duckdb.Error) as raised, duckdb.connect() as connection:
        connection.execute("select nothing")
    assert not ends_the_step(raised.value)
