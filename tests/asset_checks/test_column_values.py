"""Faults that no contract can express (swapped columns, another unit, an empty field) are found by comparison with
earlier files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from asset_checks.primitives import column_values, profiles
from asset_checks.specs import TableSpec
from asset_checks.verdict import Verdict
from tests.asset_checks.warehouse import Warehouse

FIRST, DAYS, ROWS = date(2026, 1, 1), 20, 300
NEWEST = FIRST + timedelta(days=DAYS - 1)
NOW = datetime(2026, 1, 21, 7, tzinfo=UTC)
TABLE = TableSpec(
    schema="bronze",
    table="sales",
    feed="sales",
    monitored={
        "quantity": "whole",
        "weight": "number",
        "price": "number",
        "discount": "number",
        "sold_at": "moment",
        "city": "text",
        "article": "text",
        "paid": "flag",
        "till": "whole",
    },
)
# A day of the shop. The days differ, but without random numbers: `n` is the row, `d` the day.
HEALTHY = {
    "quantity": "1 + (hash(n, d, 1) % 5)::int",
    "weight": "round(0.5 + (hash(n, d, 2) % 1000) / 250.0, 2)",
    "price": "round(exp(2 + (hash(n, d, 3) % 1000) / 400.0), 2)",
    "discount": "case when hash(n, d, 4) % 12 = 0 then (hash(n, d, 5) % 40) / 10.0 else 0 end",
    "sold_at": "d::timestamp + to_seconds((28800 + hash(n, d, 6) % 36000)::int)",
    "city": "['Oslo', 'Bergen', 'Bodø', 'Voss'][1 + (hash(n, d, 7) % 4)::int]",
    "article": "case when hash(n, d, 8) % 50 > 0 then 'A' || (10000 + hash(n, d, 9) % 90000) end",
    "paid": "hash(n, d, 10) % 10 > 0",
    "till": "3",
}
TYPES = (
    "quantity int, weight double, price double, discount double, sold_at timestamp, city varchar, article varchar,"
    " paid boolean, till int"
)


def shop(days: int = DAYS, broken: Mapping[str, str] | None = None, rows: int = ROWS) -> Warehouse:
    """`days` healthy files; `broken` replaces columns of the newest file."""
    warehouse = Warehouse()
    warehouse.connection.execute(
        f"create schema if not exists bronze; create table bronze.sales ({TYPES}, business_date date,"
        " _batch_id varchar, _line bigint, _load_seq bigint)"
    )
    for back in reversed(range(days)):
        deliver(warehouse, NEWEST - timedelta(days=back), {} if back else broken or {}, rows)
    return warehouse


def deliver(warehouse: Warehouse, day: date, broken: Mapping[str, str], rows: int = ROWS) -> None:
    batch = warehouse.batch(
        "sales", day, rows_in=rows, loaded_at=datetime.combine(day + timedelta(1), datetime.min.time(), UTC)
    )
    values = ", ".join((HEALTHY | dict(broken)).values())
    warehouse.connection.execute(
        f"insert into bronze.sales select {values}, d, ?, n + 2, ?"
        f" from (select n, date '{day}' as d from range(?) as _(n))",
        [batch, int(batch.rpartition("-")[2]), rows],
    )


def verdict_of(warehouse: Warehouse, now: datetime = NOW, table: TableSpec = TABLE) -> Verdict:
    return column_values.evaluate(warehouse.situation(now), table)


def test_healthy_days_are_like_one_another() -> None:
    warehouse = shop()
    verdict = verdict_of(warehouse)
    assert (verdict.status, verdict.evidence["judged"]) == ("ok", 1)


@pytest.mark.parametrize(
    ("column", "sql", "words"),
    [
        ("price", f"100 * ({HEALTHY['price']})", "times as much"),
        ("weight", f"1000 * ({HEALTHY['weight']})", "times as much"),
        ("price", f"case when n % 3 = 0 then 100 else 1 end * ({HEALTHY['price']})", "highest tenth"),
        ("weight", "0", "median of 0"),
        ("article", "null", "is empty in all 300 rows"),
        ("article", f"case when n % 2 = 0 then {HEALTHY['article']} end", "is filled in"),
        ("article", "left(city, 1)", "characters on average"),
        ("city", f"upper({HEALTHY['city']})", "no earlier file held"),
        ("sold_at", f"({HEALTHY['sold_at']}) - interval 1 year", "days from the file's date"),
        ("sold_at", f"({HEALTHY['sold_at']}) + interval 18 year", "days from the file's date"),
        ("paid", "hash(n, d, 10) % 10 = 0", "is true in"),
        ("till", "300", "every earlier value was 3"),
    ],
)
def test_what_no_contract_can_name_is_found_in_its_column(column: str, sql: str, words: str) -> None:
    if "city" in sql and column == "article":
        sql = sql.replace("city", f"({HEALTHY['city']})")
    verdict = verdict_of(shop(broken={column: sql}))
    assert (verdict.status, verdict.failure_class) == ("failed", "value_anomaly")
    assert [line["column"] for line in verdict.evidence["columns"]] == [column]
    assert words in verdict.message
    assert f"sales_{NEWEST}.csv" in verdict.message


def test_two_swapped_columns_are_told_together() -> None:
    verdict = verdict_of(shop(broken={"price": HEALTHY["weight"], "weight": HEALTHY["price"]}))
    assert "weight and price look swapped" in verdict.message
    assert verdict.severity == "high"


@pytest.mark.parametrize(
    "broken",
    [
        {"till": "4"},  # another till sends the data
        {"discount": "(hash(n, d, 5) % 40) / 10.0"},  # a day of discounts, which stays within earlier discounts
        {"quantity": "2 + (hash(n, d, 1) % 5)::int"},
        {"price": f"1.05 * ({HEALTHY['price']})"},
        {"city": "case when n % 5 = 0 then 'Alta' else " + HEALTHY["city"] + " end"},  # a new shop opens
        {"article": "'A' || (100000 + hash(n, d, 9) % 90000)"},  # the number has one digit more, and is always filled
    ],
)
def test_what_happens_in_business_is_no_finding(broken: Mapping[str, str]) -> None:
    assert verdict_of(shop(broken=broken)).status == "ok"


def test_few_rows_or_few_files_are_unknown_and_silent() -> None:
    verdict = verdict_of(shop(days=8, broken={"price": "100000"}))
    assert (verdict.status, verdict.passed) == ("unknown", True)
    assert verdict_of(shop(rows=8, broken={"price": "100000"})).status == "ok"


def test_a_new_level_is_told_and_then_known() -> None:
    warehouse = shop(broken={"price": f"3 * ({HEALTHY['price']})"})
    assert verdict_of(warehouse).status == "failed"
    for more in range(1, 4):
        deliver(warehouse, NEWEST + timedelta(days=more), {"price": f"3 * ({HEALTHY['price']})"})
    assert verdict_of(warehouse, NOW + timedelta(days=3)).status == "ok"


def test_a_corrected_file_takes_the_place_of_the_broken_one() -> None:
    warehouse = shop(broken={"price": f"100 * ({HEALTHY['price']})"})
    assert verdict_of(warehouse).status == "failed"
    warehouse.connection.execute(
        "update ops.batches set status = 'replaced' where load_seq = (select max(load_seq) from ops.batches)"
    )
    deliver(warehouse, NEWEST, {})
    assert verdict_of(warehouse).status == "ok"


def test_personal_values_are_not_shown() -> None:
    verdict = verdict_of(
        shop(broken={"price": f"100 * ({HEALTHY['price']})", "city": "'Ås'"}),
        table=replace(TABLE, personal=("price", "city")),
    )
    assert verdict.failure_class == "value_anomaly"
    assert "personal data, not shown" in verdict.message
    assert "Ås" not in str(verdict) and "Oslo" not in str(verdict)


def test_a_part_of_the_day_is_compared_with_the_same_part() -> None:
    warehouse = shop()
    warehouse.connection.execute("update ops.batches set part = 'am'")
    for back in reversed(range(DAYS)):
        deliver(warehouse, NEWEST - timedelta(days=back), {"weight": f"50 + ({HEALTHY['weight']})"})
    warehouse.connection.execute("update ops.batches set part = 'pm' where part is null")
    assert verdict_of(warehouse).status == "ok"


def test_a_file_is_measured_once_and_a_large_one_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = shop()
    monkeypatch.setattr(profiles, "SAMPLE", 100)
    situation = warehouse.situation(NOW)
    assert {profile.rows for profile in profiles.profiles(situation, TABLE, 40)} == {75}
    measured: list[object] = []
    plain: Callable[..., None] = profiles._measure
    monkeypatch.setattr(profiles, "_measure", lambda *args: measured.append(plain(*args)))
    assert len(profiles.profiles(situation, TABLE, 40)) == DAYS * len(TABLE.monitored)
    assert not measured


def without(column: str) -> TableSpec:
    return replace(TABLE, monitored={name: kind for name, kind in TABLE.monitored.items() if name != column})


def test_a_column_swapped_for_another_in_the_contract_is_measured() -> None:
    warehouse = shop(broken={"till": "300"})
    assert verdict_of(warehouse, table=without("till")).status == "ok"
    verdict = verdict_of(warehouse, table=without("city"))
    assert [line["column"] for line in verdict.evidence["columns"]] == ["till"]


def test_a_column_of_another_kind_is_measured_anew() -> None:
    warehouse = shop()
    warehouse.connection.execute("alter table bronze.sales alter till type varchar")
    as_text = replace(TABLE, monitored={**TABLE.monitored, "till": "text"})
    assert verdict_of(warehouse, table=as_text).status == "ok"
    warehouse.connection.execute("alter table bronze.sales alter till type int; update bronze.sales set till = 300")
    assert verdict_of(warehouse).status == "ok"
    measured = profiles.profiles(warehouse.situation(NOW), TABLE, 40)
    assert {profile.mean for profile in measured if profile.column == "till"} == {300.0}


def test_a_home_that_kept_no_kinds_is_upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = shop()
    assert verdict_of(warehouse).status == "ok"
    warehouse.connection.execute("alter table ops.column_profiles drop column kind")
    assert verdict_of(warehouse).status == "ok"
    monkeypatch.setattr(profiles, "_measure", lambda *_: pytest.fail("measured twice"))
    assert verdict_of(warehouse).status == "ok"
