"""A day counts as complete because its files were delivered, and not because it has rows. A missing day is not counted
as a day, and its figures are unknown and not zero.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops_project.model.feed.arrival import Closed
from tests.numbers.site import Row, Site

FIRST = date(2026, 2, 1)
FEBRUARY = [FIRST + timedelta(days=number) for number in range(28)]
MARCH = [date(2026, 3, 1) + timedelta(days=number) for number in range(31)]


def sale(number: int, day: date, revenue: int, **more: Any) -> Row:
    changed = {"occurred_at": f"{day} 10:00:00", "updated_at": f"{day} 10:00:00"}
    return {
        "transaction_id": number,
        "unit_id": f"U{number % 5}",
        "unit_revenue": revenue,
        "unit_cost": 1,
        **changed,
    } | more


@pytest.fixture(scope="module")
def investor(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """February and March with a sale of 10 a day; 12 March has no file, and the file of the 13th has one late row of
    the 12th.
    """
    site = Site(tmp_path_factory.mktemp("complete") / "home", "investor", clock=datetime(2026, 4, 3, 12, tzinfo=UTC))
    for number, day in enumerate([*FEBRUARY, *MARCH, date(2026, 4, 1), date(2026, 4, 2)], start=1):
        spend = [{"spend_date": day, "channel": "search", "spend_amount": 2}]
        if day != date(2026, 2, 20):
            site.put("marketing_spend", day, spend)
        rows = [sale(number, day, 10)] if day != date(2026, 3, 20) else []
        if day == date(2026, 3, 13):
            rows.append(sale(900, date(2026, 3, 12), 3))
        if day != date(2026, 3, 12):
            site.put("transactions", day, rows)
        if day.month > 2:
            site.put("product_events", day, [{"event_id": number, "unit_id": "U1", "occurred_at": f"{day} 09:00:00"}])
    site.run()
    return site


def months(site: Site, table: str, columns: str) -> list[tuple[Any, ...]]:
    return site.ask(f"select {columns} from gold.{table} where period_type = 'month' order by period_start limit 2")


def test_one_late_row_makes_no_day_of_a_missing_file(investor: Site) -> None:
    shown = months(investor, "kpi_aggregate_growth", "days_delivered, is_complete, revenue, revenue_growth")
    assert shown == [(28, True, 280, None), (30, False, 293, None)]


def test_a_file_without_a_row_is_a_day_all_the_same(investor: Site, tmp_path: Path) -> None:
    investor.put("transactions", date(2026, 3, 12), [sale(901, date(2026, 3, 12), 10)])
    investor.run()
    shown = months(investor, "kpi_aggregate_growth", "days_delivered, is_complete, revenue, revenue_growth")
    assert shown == [(28, True, 280, None), (31, True, 303, Decimal("0.0821"))]


def test_profit_waits_for_the_spend_names_its_inputs_and_stays_beside_what_it_would_be_today(investor: Site) -> None:
    reported = (
        "select metric, reported_value from silver.fact_reported_metrics where period_start = '2026-02-01' order by 1"
    )
    assert investor.ask(reported) == [("revenue", 280)]
    investor.put(
        "marketing_spend", date(2026, 2, 20), [{"spend_date": "2026-02-20", "channel": "search", "spend_amount": 7}]
    )
    investor.put("transactions", date(2026, 4, 3), [sale(1, FIRST, 4, updated_at="2026-04-03 10:00:00")])
    investor.run()
    assert investor.ask(reported) == [("profit", 280 - 28 - 27 * 2 - 7), ("revenue", 280)]
    restated = "select reported_value, current_value from gold.rec_restatements where metric = 'revenue'"
    assert investor.ask(f"{restated} and period_start = '2026-02-01' and period_type = 'month'") == [(280, 274)]
    [(inputs,)] = investor.ask(
        "select len(string_split(input_batches, ', ')) from silver.fact_reported_metrics"
        " where metric = 'profit' and period_start = '2026-02-01'"
    )
    assert inputs == 2 * 28 + 2 * 2, "sales and spend of the month and of the two days until it closed"


def test_engagement_of_a_month_without_files_is_not_complete(investor: Site) -> None:
    assert months(investor, "kpi_aggregate_engagement", "period_start, is_complete") == [
        (date(2026, 3, 1), True),
        (date(2026, 4, 1), False),
    ]


def order(number: int, day: date, file: date | None = None) -> tuple[Row, Row]:
    changed = f"{file or day} 09:00:00"
    return (
        {"order_id": f"O{number}", "customer_id": "C1", "order_date": day, "updated_at": changed},
        {"order_id": f"O{number}", "line_number": 1, "order_date": day, "product_id": "P1", "unit_price": "10.00"},
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Ten steady days; the fifth file also changes an order of a week before the first one."""
    site = Site(tmp_path_factory.mktemp("steady") / "home", "ecommerce", clock=datetime(2026, 2, 11, 12, tzinfo=UTC))
    for number, day in enumerate(FEBRUARY[:10]):
        deliver(site, day, [order(number, day), *([order(900, FIRST - timedelta(days=7), day)] if number == 4 else [])])
    site.run()
    return site


def deliver(site: Site, day: date, orders: list[tuple[Row, Row]]) -> None:
    site.put("orders", day, [head for head, _ in orders])
    site.put("order_items", day, [line for _, line in orders])


def test_ten_steady_days_and_one_changed_old_order_have_no_growth(shop: Site) -> None:
    growth = "select revenue_growth, orders_growth from gold.executive_summary where period = 'last_7_days'"
    assert shop.ask(growth) == [(None, None)]


def test_the_average_leaves_out_a_day_whose_file_is_missing(shop: Site) -> None:
    for number, day in enumerate(FEBRUARY[10:16], start=10):
        if number != 12:
            late = [order(901, FEBRUARY[12], day)] if number == 14 else []
            deliver(shop, day, [order(number, day), *late])
    shop.clock += timedelta(days=6)
    shop.run()
    week = "select trading_days_7d, revenue_7d_avg from gold.daily_revenue where order_date = date '2026-02-16'"
    assert shop.ask(week) == [(6, 10)]
    growth = "select revenue_growth from gold.executive_summary where period = 'last_7_days'"
    assert shop.ask(growth) == [(None,)]
    shipped = shop.feeds
    shop.feeds = [feed.model_copy(update={"closed": Closed(dates=(FEBRUARY[12],))}) for feed in shipped]
    shop.run("daily_revenue")
    assert shop.ask(week) == [(7, 10)], "the contracts now expect nothing of that day: what it has is all"
    shop.feeds = shipped
    deliver(shop, FEBRUARY[12], [order(12, FEBRUARY[12])])
    shop.run()
    assert shop.ask(week) == [(7, Decimal("11.43"))]
    assert shop.ask(growth) == [(Decimal("0.1429"),)]
