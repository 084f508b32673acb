"""Checks that a user writes: a query, a number with bounds, a function. A check that breaks is never a success."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import duckdb
import pytest

from asset_checks import own
from asset_checks.own import OwnCheck, Situation, Verdict, attempt, query_check
from asset_checks.parameters import Parameters


@pytest.fixture
def situation() -> Situation:
    connection = duckdb.connect()
    connection.execute("create schema gold; create table gold.shops as select 'North' as shop, 3 as pieces")
    return Situation(connection, datetime(2026, 3, 4, tzinfo=UTC), "run", cast(Parameters, None), "UTC")


def verdict(situation: Situation, **said: Any) -> Verdict:
    return attempt(situation, query_check(name="mine", table="gold.shops", **said))


def test_a_query_without_rows_passes(situation: Situation) -> None:
    assert verdict(situation, sql="select * from gold.shops where pieces < 0").passed


def test_a_row_fails_with_its_values_and_the_given_severity(situation: Situation) -> None:
    found = verdict(situation, sql="select * from gold.shops", severity="critical", failure_class="key_violation")
    assert (found.status, found.severity, found.failure_class) == ("failed", "critical", "key_violation")
    assert "shop = North, pieces = 3" in found.message


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [("3", None, True), (None, "3", True), ("3.1", None, False), (None, "2.9", False), ("1", "5", True)],
)
def test_a_number_is_compared_with_its_bounds(
    situation: Situation, low: str | None, high: str | None, passed: bool
) -> None:
    bounds = {name: Decimal(text) for name, text in (("low", low), ("high", high)) if text is not None}
    assert verdict(situation, sql="select sum(pieces) from gold.shops", **bounds).passed is passed


@pytest.mark.parametrize("sql", ["select * from gold.shops", "select shop from gold.shops", "select nothing"])
def test_a_query_that_gives_no_number_is_a_broken_check(situation: Situation, sql: str) -> None:
    found = verdict(situation, sql=sql, low=Decimal(1))
    assert (found.status, found.failure_class) == ("failed", "code_error")


def test_a_number_that_is_absent_or_nan_does_not_pass(situation: Situation) -> None:
    assert verdict(situation, sql="select sum(pieces) from gold.shops where false", low=Decimal(1)).status == "unknown"
    assert verdict(situation, sql="select 'nan'::double", low=Decimal(1)).status == "failed"


def test_a_table_that_does_not_exist_is_unknown(situation: Situation) -> None:
    assert attempt(situation, query_check(name="mine", table="gold.none", sql="select 1")).status == "unknown"


@pytest.mark.parametrize(
    ("said", "status"),
    [(None, "ok"), ("too few", "failed"), (Verdict.unknown("who knows"), "unknown"), (True, "failed"), (0, "failed")],
)
def test_what_a_function_returns_is_its_verdict(situation: Situation, said: Any, status: str) -> None:
    assert attempt(situation, OwnCheck("mine", "gold.shops", lambda _: said)).status == status


def test_a_blocking_check_stops_at_every_severity_but_not_when_it_is_broken() -> None:
    item = OwnCheck("mine", "gold.shops", lambda _: None, blocking=True)
    low, broken = Verdict.fail("few", "low", "data_invalid"), Verdict.fail("broken", "high", "code_error")
    assert [own.result(item, found, None).severity.value for found in (low, broken)] == ["ERROR", "WARN"]


def test_evidence_of_any_kind_can_be_recorded() -> None:
    item = OwnCheck("mine", "gold.shops", lambda _: None)
    evidence = {
        "amount": Decimal("1.5"),
        "day": datetime(2026, 3, 4, tzinfo=UTC),
        "none": None,
        "rows": [{"amount": Decimal(2)}],
    }
    recorded = own.result(item, Verdict.fail("wrong", "high", "data_invalid", **evidence), None).metadata
    assert recorded["amount"].value == "1.5"
    assert "none" not in recorded
