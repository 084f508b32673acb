"""The volume check on the tables of landing: which dates are judged, and against what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from asset_checks.primitives import volume
from asset_checks.specs import TableSpec
from tests.asset_checks.warehouse import NOW, Warehouse

TABLE = TableSpec(schema="bronze", table="orders", feed="orders")
NEWEST = date(2026, 3, 9)


def delivered(rows: list[int], newest: date = NEWEST) -> Warehouse:
    warehouse = Warehouse()
    for back, count in enumerate(reversed(rows)):
        warehouse.batch("orders", newest - timedelta(days=back), rows_in=count)
    return warehouse


def test_a_truncated_load_is_found_with_its_share() -> None:
    verdict = volume.evaluate(delivered([1000, 1010, 990, 1005, 995, 1000, 1003, 998, 1001, 600]).situation(), TABLE)
    assert (verdict.status, verdict.failure_class) == ("failed", "volume_anomaly")
    [line] = verdict.evidence["outside"]
    assert (line["date"], line["rows"]) == ("2026-03-09", 600)
    assert 0.58 < line["share"] < 0.62


def test_a_double_delivery_is_found_too() -> None:
    verdict = volume.evaluate(delivered([1000, 1010, 990, 1005, 995, 1000, 1003, 998, 2001]).situation(), TABLE)
    assert verdict.status == "failed"
    assert "double delivery" in verdict.message


def test_a_rush_on_a_public_holiday_is_expected_and_a_hole_is_not() -> None:
    holiday = date(2026, 2, 16)
    steady = [1000, 1010, 990, 1005, 995, 1000, 1003, 998, 1001]
    now = datetime(2026, 2, 17, 12, tzinfo=UTC)
    assert volume.evaluate(delivered([*steady, 3000], holiday).situation(now), TABLE).status == "ok"
    assert volume.evaluate(delivered([*steady, 600], holiday).situation(now), TABLE).status == "failed"
    the_day_after = delivered([*steady, 3000], holiday + timedelta(days=1)).situation(now + timedelta(days=1))
    assert volume.evaluate(the_day_after, TABLE).status == "failed"


def test_too_little_history_says_so() -> None:
    verdict = volume.evaluate(delivered([1000] * 8).situation(), TABLE)
    assert (verdict.status, verdict.passed, verdict.evidence["points"]) == ("unknown", True, 7)
    assert "too few" in verdict.message
    assert volume.evaluate(Warehouse().situation(), TABLE).status == "unknown"


def test_what_came_recently_is_judged_even_where_it_is_not_the_newest_date() -> None:
    warehouse = delivered([1000] * 12)
    corrected = NEWEST - timedelta(days=3)
    warehouse.connection.execute("update ops.batches set status = 'replaced' where business_date = ?", [corrected])
    warehouse.batch("orders", corrected, rows_in=400, loaded_at=NOW - timedelta(hours=1))
    verdict = volume.evaluate(warehouse.situation(), TABLE)
    assert verdict.evidence["dates"] == [str(corrected)]


def test_rejected_batches_and_future_dates_take_no_part() -> None:
    warehouse = delivered([1000] * 12)
    warehouse.batch("orders", NEWEST, rows_in=77, status="rejected")
    warehouse.batch("orders", date(2099, 1, 1), rows_in=3)
    verdict = volume.evaluate(warehouse.situation(datetime(2026, 3, 10, 12, tzinfo=UTC)), TABLE)
    assert verdict.status == "ok"


def test_a_false_alarms_date_neither_trains_nor_is_judged_again() -> None:
    warehouse = delivered([1000, 1010, 990, 1005, 995, 1000, 1003, 998, 1001, 1000, 600])
    assert volume.evaluate(warehouse.situation(), TABLE).evidence["dates"] == [str(NEWEST)]
    warehouse.connection.execute("insert into ops.excluded_points values ('bronze/orders', ?, 7)", [NEWEST])
    excused = volume.evaluate(warehouse.situation(), TABLE)
    assert excused.status == "ok"
    assert str(NEWEST) not in str(excused.evidence)
