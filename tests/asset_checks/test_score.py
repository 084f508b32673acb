"""The quality score: its two exact limits, what counts against it, and what happens if it is unknown."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_checks.primitives import score
from asset_checks.primitives.score import UNKNOWN, Measures
from asset_checks.specs import Reference, TableSpec
from tests.asset_checks.warehouse import NOW, Warehouse, shipped

PARAMETERS = shipped().score
DAY = date(2026, 3, 9)
ONLY_VALIDITY = SimpleNamespace(**dict.fromkeys(score.DIMENSIONS, Decimal(0)) | {"validity": Decimal(1)})
TABLE = TableSpec(schema="gold", table="revenue")


@pytest.mark.parametrize(
    ("value", "critical", "high"),
    [
        (Fraction("69.9"), "failed", "failed"),
        (Fraction(70) - Fraction(1, 10**12), "failed", "failed"),
        (Fraction(70), "ok", "failed"),
        (Fraction("84.9"), "ok", "failed"),
        (Fraction(85) - Fraction(1, 10**12), "ok", "failed"),
        (Fraction(85), "ok", "ok"),
        (Fraction(100), "ok", "ok"),
    ],
)
def test_the_edges_are_exact_on_the_unrounded_score(value: Fraction, critical: str, high: str) -> None:
    measures = Measures(validity=value / 100, row_count=10)
    assert score.judge(TABLE, measures, value, PARAMETERS, critical=True).status == critical
    assert score.judge(TABLE, measures, value, PARAMETERS, critical=False).status == high


def test_the_edge_survives_arithmetic_that_floats_do_not() -> None:
    # 0.1 * 3 + 0.7 … in floats is 0.9999999999999999.
    weights = SimpleNamespace(**dict.fromkeys(score.DIMENSIONS, Decimal("0.1")))
    measures = Measures(*[Fraction(7, 10)] * 5, row_count=1)
    assert score.score(measures, weights) == 70


def test_severities_and_the_class_of_the_weakest_dimension() -> None:
    measures = Measures(uniqueness=Fraction(1, 2), validity=Fraction(1), row_count=10)
    verdict = score.judge(TABLE, measures, Fraction(60), PARAMETERS, critical=True)
    assert (verdict.severity, verdict.failure_class) == ("critical", "key_violation")
    assert score.judge(TABLE, measures, Fraction(60), PARAMETERS, critical=False).severity == "high"


@pytest.mark.parametrize(
    "measures",
    [
        Measures(row_count=0),
        Measures(row_count=None),
        Measures(row_count=5),
        Measures(validity=UNKNOWN, completeness=Fraction(1), row_count=5),
    ],
)
def test_unknown_is_null_neither_passed_nor_blocking(measures: Measures) -> None:
    value = score.score(measures, PARAMETERS.weights)
    assert value is None
    verdict = score.judge(TABLE, measures, value, PARAMETERS, critical=True)
    assert (verdict.status, verdict.passed, verdict.severity) == ("unknown", False, "low")
    assert verdict.evidence["score"] is None


def test_a_dimension_that_does_not_apply_leaves_its_weight_to_the_others() -> None:
    assert score.score(Measures(validity=Fraction(4, 5), row_count=5), PARAMETERS.weights) == 80


shares = st.fractions(0, 1)


@given(st.tuples(*[st.none() | shares] * 5))
def test_the_score_lies_between_its_dimensions(values: tuple[Fraction | None, ...]) -> None:
    value = score.score(Measures(*values, row_count=1), PARAMETERS.weights)
    known = [share for share in values if share is not None]
    if not known:
        assert value is None
    else:
        assert value is not None
        assert min(known) <= value / 100 <= max(known)


@given(st.tuples(*[shares] * 5), st.integers(0, 4), shares)
def test_a_better_dimension_never_lowers_the_score(values: tuple[Fraction, ...], index: int, other: Fraction) -> None:
    better = list(values)
    better[index] = max(values[index], other)
    one = score.score(Measures(*values, row_count=1), PARAMETERS.weights)
    two = score.score(Measures(*better, row_count=1), PARAMETERS.weights)
    assert one is not None
    assert two is not None
    assert two >= one


@pytest.mark.parametrize(("hours", "share"), [(0, 1), (24, 1), (36, Fraction(1, 2)), (48, 0), (500, 0)])
def test_timeliness_falls_from_stale_to_very_stale(hours: int, share: Fraction) -> None:
    assert score.timeliness(timedelta(hours=hours), 24, 48) == share


def test_timeliness_of_no_data_is_unknown() -> None:
    assert score.timeliness(None, 24, 48) is UNKNOWN


ORDERS = TableSpec(
    schema="bronze",
    table="orders",
    feed="orders",
    key=("order_id",),
    required=("order_id", "customer_id"),
    date_column="business_date",
)


def test_each_dimension_counts_what_it_says() -> None:
    warehouse = Warehouse()
    rows: list[dict[str, object]] = [{"order_id": index, "customer_id": f"c{index}", "amount": 1} for index in range(8)]
    rows.append({"order_id": 7, "customer_id": "c1", "amount": -5})
    rows.append({"order_id": 9, "customer_id": "nobody", "amount": 1})
    warehouse.batch("orders", DAY, rows)
    warehouse.connection.execute("update bronze.orders set customer_id = null where order_id = 0")
    warehouse.table("silver.customers", [{"customer_id": f"c{index}"} for index in range(8)])
    table = TableSpec(
        schema="bronze",
        table="orders",
        key=("order_id",),
        required=("order_id", "customer_id"),
        valid_when={"amount not negative": "amount >= 0"},
        references=(Reference(("customer_id",), "silver.customers", ("customer_id",)),),
    )
    measures = score.measure(warehouse.situation(), table)
    assert measures.completeness == Fraction(19, 20)
    assert measures.validity == Fraction(9, 10)
    assert measures.uniqueness == Fraction(9, 10)
    assert measures.consistency == Fraction(8, 9)
    assert measures.timeliness is None


def test_quarantined_rows_count_against_validity() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, [{"order_id": i, "customer_id": "c"} for i in range(6)], quarantined=4)
    measures = score.measure(warehouse.situation(), ORDERS)
    assert measures.validity == Fraction(6, 10)
    assert measures.row_count == 6


def test_an_empty_table_is_recorded_as_null() -> None:
    warehouse = Warehouse()
    warehouse.connection.execute("create table gold.revenue (amount double)")
    verdicts = score.evaluate_all(warehouse.situation(), TABLE)
    assert {verdict.status for verdict in verdicts.values()} == {"unknown"}
    assert warehouse.connection.execute("select score, row_count from ops.quality_scores").fetchall() == [(None, 0)]


def test_emptiness_that_the_contract_foresees_is_fine_and_still_null() -> None:
    warehouse = Warehouse()
    warehouse.connection.execute("create table gold.revenue (amount double)")
    verdicts = score.evaluate_all(warehouse.situation(), TableSpec(schema="gold", table="revenue", expected=False))
    assert {verdict.status for verdict in verdicts.values()} == {"ok"}
    assert warehouse.connection.execute("select score from ops.quality_scores").fetchall() == [(None,)]


def test_a_missing_parent_makes_the_score_unknown() -> None:
    warehouse = Warehouse()
    warehouse.table("gold.revenue", [{"customer_id": "c1"}])
    table = TableSpec(
        schema="gold", table="revenue", references=(Reference(("customer_id",), "silver.nowhere", ("customer_id",)),)
    )
    assert score.score(score.measure(warehouse.situation(), table), PARAMETERS.weights) is None


def test_a_retry_replaces_the_row_of_its_run_and_another_run_adds_one() -> None:
    warehouse = Warehouse()
    warehouse.table("gold.revenue", [{"amount": 1.0}])
    table = TableSpec(schema="gold", table="revenue", required=("amount",))
    for run_id in ("one", "one", "two"):
        score.evaluate_all(warehouse.situation(run_id=run_id), table)
    rows = warehouse.connection.execute(
        "select run_id, table_schema, table_name, domain, completeness, score, as_of from ops.quality_scores order by 1"
    ).fetchall()
    as_of = NOW.replace(tzinfo=None)
    assert rows == [(run, "gold", "revenue", "ecommerce", 100.0, 100.0, as_of) for run in ("one", "two")]


def test_old_dates_are_scored_when_a_load_touches_them_and_only_then() -> None:
    warehouse = Warehouse()
    old = DAY - timedelta(days=60)
    for day in (old, DAY):
        warehouse.batch("orders", day, [{"order_id": day.toordinal(), "customer_id": "c"}])
    warehouse.connection.execute("update bronze.orders set customer_id = null where business_date = ?", [old])
    assert score.measure(warehouse.situation(), ORDERS).completeness == 1
    warehouse.connection.execute(
        "update ops.batches set loaded_at = ? where business_date = ?", [NOW.replace(tzinfo=None), old]
    )
    assert score.measure(warehouse.situation(), ORDERS).completeness == Fraction(3, 4)


def test_the_first_load_of_a_long_history_is_scored_up_to_the_configured_rows() -> None:
    warehouse = Warehouse()
    for back in range(30):
        day = DAY - timedelta(days=back)
        warehouse.batch("orders", day, [{"order_id": day.toordinal(), "customer_id": "c"}], loaded_at=NOW)
    assert score.measure(warehouse.situation(), ORDERS).row_count == 30
    small = PARAMETERS.model_copy(update={"max_rows": 10})
    measures = score.measure(warehouse.situation(score=small), ORDERS)
    assert (measures.row_count, measures.scope) == (10, "10 dates to 2026-03-09, 20 older touched dates left out")
    fewer_than_the_window = PARAMETERS.model_copy(update={"max_rows": 3})
    measures = score.measure(warehouse.situation(score=fewer_than_the_window), ORDERS)
    assert (measures.row_count, measures.scope) == (7, "7 dates to 2026-03-09, 23 older touched dates left out")


def test_of_a_full_extract_the_newest_date_is_scored() -> None:
    warehouse = Warehouse()
    for back in range(3):
        warehouse.batch("customers", DAY - timedelta(days=back), [{"customer_id": f"c{i}"} for i in range(4)])
    table = TableSpec(
        schema="bronze",
        table="customers",
        feed="customers",
        key=("customer_id",),
        key_scope="batch",
        date_column="business_date",
        full_extract=True,
    )
    measures = score.measure(warehouse.situation(), table)
    assert (measures.row_count, measures.uniqueness) == (4, 1)


def test_a_satellite_of_a_feed_that_never_delivered_is_unknown_and_stops_nothing() -> None:
    """The only row of the table is the ghost record, which lacks every required value."""
    warehouse = Warehouse()
    warehouse.table("silver.sat_x", [{"x_hk": 0, "name": None, "record_source": "ghost"}])
    table = TableSpec(
        schema="silver", table="sat_x", key=("x_hk",), required=("name",), real_rows="record_source <> 'ghost'"
    )
    verdicts = score.evaluate_all(warehouse.situation(), table)
    assert {verdict.status for verdict in verdicts.values()} == {"unknown"}
    warehouse.connection.execute("insert into silver.sat_x values (1, 'Ann', 'a file')")
    verdicts = score.evaluate_all(warehouse.situation(), table)
    assert {verdict.status for verdict in verdicts.values()} == {"ok"}
