"""Duplicates, references, gaps and control totals: no row is lost, none counts twice, and both sides of a hop have the
same number.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from asset_checks.primitives import conservation, control_totals, duplicates, quarantine, sequence
from asset_checks.primitives.batches import Batch
from asset_checks.specs import ControlTotal, TableSpec
from tests.asset_checks.warehouse import NOW, Warehouse

DAY = date(2026, 3, 9)
EVENTS = TableSpec(
    schema="bronze",
    table="events",
    feed="events",
    key=("event_id",),
    date_column="business_date",
    personal=("event_id",),
)
ORDERS = TableSpec(
    schema="bronze",
    table="orders",
    feed="orders",
    key=("order_id",),
    key_scope="version",
    content=("order_id", "status"),
    date_column="business_date",
)


def order(number: int, status: str = "placed") -> dict[str, object]:
    return {"order_id": f"O-{number:06d}", "status": status}


def event(number: int) -> dict[str, object]:
    return {"event_id": f"event-{number:06d}"}


def test_a_key_delivered_again_on_another_day_is_found_with_batches_dates_and_a_masked_sample() -> None:
    warehouse = Warehouse()
    warehouse.batch("events", DAY - timedelta(days=20), [event(1), event(2)])
    warehouse.batch("events", DAY - timedelta(days=1), [event(3)])
    warehouse.batch("events", DAY, [event(4), event(2)])
    verdict = duplicates.evaluate(warehouse.situation(), EVENTS)
    assert (verdict.status, verdict.failure_class, verdict.severity) == ("failed", "key_violation", "high")
    assert verdict.evidence["keys"] == 1
    assert verdict.evidence["rows"] == 2
    assert verdict.evidence["dates"] == ["2026-02-17", "2026-03-09"]
    assert verdict.evidence["files"] == ["events_2026-02-17.csv", "events_2026-03-09.csv"]
    [sample] = verdict.evidence["sample"]
    assert sample["event_id"].startswith("sha256:")
    assert "event-000002" not in str(verdict)


def test_two_batches_that_came_together_are_compared_with_each_other() -> None:
    warehouse = Warehouse()
    for back in (2, 1):
        warehouse.batch("events", DAY - timedelta(days=back), [event(1), event(10 + back)], loaded_at=NOW)
    verdict = duplicates.evaluate(warehouse.situation(), EVENTS)
    assert verdict.status == "failed"
    assert {line["file"] for line in verdict.evidence["batches"]} == {"events_2026-03-07.csv", "events_2026-03-08.csv"}


def test_an_update_is_no_duplicate_and_the_same_content_again_is() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY - timedelta(days=1), [order(1), order(2)])
    warehouse.batch("orders", DAY, [order(1, "paid"), order(3)])
    assert duplicates.evaluate(warehouse.situation(), ORDERS).status == "ok"
    warehouse.batch("orders", DAY, [order(2)])
    verdict = duplicates.evaluate(warehouse.situation(), ORDERS)
    assert verdict.status == "failed"
    assert verdict.evidence["sample"] == [{"order_id": "O-****02", "occurrences": 2}]


def test_a_full_extract_may_repeat_its_keys_on_every_day() -> None:
    warehouse = Warehouse()
    table = TableSpec(
        schema="bronze",
        table="events",
        feed="events",
        key=("event_id",),
        key_scope="batch",
        date_column="business_date",
    )
    for back in (1, 0):
        warehouse.batch("events", DAY - timedelta(days=back), [event(1)])
    assert duplicates.evaluate(warehouse.situation(), table).status == "ok"


def test_repetitions_that_landing_put_aside_are_told() -> None:
    warehouse = Warehouse()
    batch = warehouse.batch("orders", DAY, [order(1)], quarantined=2)
    for line in (2, 3):
        warehouse.quarantine(batch, "orders", line, f"order_id: repeats the key of line {line - 1}")
    verdict = duplicates.evaluate(warehouse.situation(), ORDERS)
    assert (verdict.status, verdict.severity, verdict.evidence["rows_quarantined"]) == ("failed", "medium", 2)
    assert verdict.evidence["batches"][0]["batch_id"] == batch


def test_every_row_is_accounted_for() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, [order(1), order(2)], quarantined=1)
    assert (
        conservation.evaluate(warehouse.situation(), TableSpec(schema="bronze", table="orders", feed="orders")).status
        == "ok"
    )


@pytest.mark.parametrize(
    ("rows_in", "loaded", "put_aside", "held", "status"),
    [
        (10, 7, (1, 1, 1), 7, "ok"),
        (11, 7, (1, 1, 1), 7, "failed"),
        (10, 7, (1, 1, 1), 6, "failed"),
        (10, 7, (1, 1, 1), 8, "failed"),
    ],
)
def test_rows_in_are_loaded_quarantined_filtered_or_collapsed(
    rows_in: int, loaded: int, put_aside: tuple[int, int, int], held: int, status: str
) -> None:
    batch = Batch("b", "orders.csv", DAY, 1, "loaded", rows_in, loaded, *put_aside)
    verdict = conservation.judge("orders", [batch], {"b": held})
    assert verdict.status == status
    if status == "failed":
        assert (verdict.severity, verdict.failure_class) == ("critical", "reconciliation_break")
        [line] = verdict.evidence["broken"]
        assert (line["rows_in"], line["accounted"], line["rows_in_table"]) == (rows_in, 10, held)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({}, "The table has no row of 2 of them. Stop using it, and restore it from a snapshot"),
        ({"b1": 7}, "The table has no row of 1 of them. Stop using it, and restore it from a snapshot"),
        ({"b1": 7, "b2": 5}, "land the archived file again"),
    ],
    ids=["emptied", "one batch is gone", "some rows are gone"],
)
def test_what_was_lost_says_how_it_comes_back(held: dict[str, int], words: str) -> None:
    batches = [Batch(name, f"{name}.csv", DAY, 1, "loaded", 7, 7, 0, 0, 0) for name in ("b1", "b2")]
    verdict = conservation.judge("orders", batches, held)
    assert verdict.status == "failed" and words in verdict.message
    assert ("snapshot" in verdict.message) is (len(held) < 2)


@pytest.mark.parametrize(
    "statement", ["delete from bronze.orders where order_id = 'O-000002'", "delete from bronze.orders"]
)
def test_a_row_that_vanished_from_the_table_is_found(statement: str) -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, [order(1), order(2)])
    warehouse.connection.execute(statement)
    assert (
        conservation.evaluate(warehouse.situation(), TableSpec(schema="bronze", table="orders", feed="orders")).status
        == "failed"
    )


def test_rows_of_a_batch_that_was_replaced_must_be_gone() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, [order(1)], status="replaced", loaded_at=NOW)
    assert (
        conservation.evaluate(warehouse.situation(), TableSpec(schema="bronze", table="orders", feed="orders")).status
        == "failed"
    )


@pytest.mark.parametrize(("bad", "severity"), [(0, None), (1, "medium"), (5, "medium"), (6, "high")])
def test_the_share_of_quarantined_rows_decides_the_severity(bad: int, severity: str | None) -> None:
    warehouse = Warehouse()
    batch = warehouse.batch("orders", DAY, rows_in=100, quarantined=bad)
    for line in range(bad):
        warehouse.quarantine(batch, "orders", line, "below_minimum")
    verdict = quarantine.evaluate(warehouse.situation(), TableSpec(schema="bronze", table="orders", feed="orders"))
    assert (verdict.severity if verdict.status == "failed" else None) == severity
    if severity:
        assert verdict.evidence["reasons"] == [{"column": "amount", "reason": "below_minimum", "rows": bad}]
        assert "secret" not in str(verdict)


def test_a_large_good_load_does_not_thin_out_a_small_bad_one() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, rows_in=3_000, loaded_at=NOW - timedelta(hours=23))
    warehouse.batch("orders", DAY, rows_in=13, quarantined=12, loaded_at=NOW)
    verdict = quarantine.evaluate(warehouse.situation(), TableSpec(schema="bronze", table="orders", feed="orders"))
    assert (verdict.severity, verdict.evidence["rows_in"], verdict.evidence["rows_quarantined"]) == ("high", 13, 12)


def totals(bronze: list[tuple[date, int]], silver: list[tuple[date, int]]) -> Warehouse:
    warehouse = Warehouse()
    warehouse.table("bronze.orders", [{"business_date": day, "amount": amount} for day, amount in bronze])
    warehouse.table("silver.fact_orders", [{"business_date": day, "amount": amount} for day, amount in silver])
    return warehouse


ROWS = ControlTotal("rows", "bronze.orders", "count(*)", "count(*)", "business_date", "business_date")
AMOUNT = ControlTotal(
    "amount", "bronze.orders", "sum(amount)", "sum(amount)", "business_date", "business_date", tolerance=0.5
)
FACT = TableSpec(schema="silver", table="fact_orders", date_column="business_date", control_totals=(ROWS, AMOUNT))
BEFORE = DAY - timedelta(days=1)


def test_equal_totals_agree() -> None:
    warehouse = totals([(BEFORE, 5), (DAY, 7)], [(DAY, 7), (BEFORE, 5)])
    assert control_totals.evaluate(warehouse.situation(), FACT, ROWS).status == "ok"
    assert control_totals.evaluate(warehouse.situation(), FACT, AMOUNT).status == "ok"


def test_two_errors_that_cancel_out_are_still_found() -> None:
    warehouse = totals([(BEFORE, 5), (DAY, 7)], [(BEFORE, 7), (DAY, 5)])
    assert control_totals.evaluate(warehouse.situation(), FACT, ROWS).status == "ok"
    verdict = control_totals.evaluate(warehouse.situation(), FACT, AMOUNT)
    assert (verdict.status, verdict.failure_class) == ("failed", "reconciliation_break")
    assert verdict.evidence["source_total"] == verdict.evidence["target_total"] == 12
    assert verdict.evidence["dates"] == ["2026-03-08", "2026-03-09"]


def test_a_date_that_is_missing_on_one_side_is_a_break() -> None:
    warehouse = totals([(BEFORE, 5), (DAY, 7)], [(DAY, 7)])
    assert control_totals.evaluate(warehouse.situation(), FACT, ROWS).evidence["breaks"] == [
        {"date": "2026-03-08", "source": 1.0, "target": 0.0}
    ]


def test_a_difference_within_the_tolerance_is_none() -> None:
    warehouse = Warehouse()
    warehouse.table("bronze.orders", [{"business_date": DAY, "amount": 7.5}])
    warehouse.table("silver.fact_orders", [{"business_date": DAY, "amount": 8.0}])
    assert control_totals.evaluate(warehouse.situation(), FACT, AMOUNT).status == "ok"
    warehouse.connection.execute("update silver.fact_orders set amount = 8.01")
    assert control_totals.evaluate(warehouse.situation(), FACT, AMOUNT).status == "failed"


def test_totals_without_dates_compare_whole_tables() -> None:
    warehouse = totals([(DAY, 7)], [(DAY, 7), (BEFORE, 1)])
    total = ControlTotal("all", "bronze.orders", "count(*)", "count(*)")
    assert control_totals.evaluate(warehouse.situation(), FACT, total).status == "failed"


def test_missing_sequence_ranges_are_listed() -> None:
    warehouse = Warehouse()
    warehouse.table("bronze.changes", [{"lsn": number} for number in (1, 2, 3, 7, 8, 10, 2)])
    table = TableSpec(schema="bronze", table="changes", sequence_column="lsn")
    verdict = sequence.evaluate(warehouse.situation(), table)
    assert (verdict.evidence["ranges"], verdict.evidence["missing"], verdict.evidence["gaps"]) == (["4–6", "9"], 4, 2)
    warehouse.table("bronze.changes", [{"lsn": number} for number in (4, 5, 6, 9)])
    assert sequence.evaluate(warehouse.situation(), table).status == "ok"
