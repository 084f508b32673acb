"""An order in another currency counts at the rate of its day; without a rate the day is unknown, neither right nor 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from tests.numbers.site import Site
from tests.numbers.test_incremental_is_full import tables

MONDAY = date(2026, 5, 4)
DAYS = [MONDAY + timedelta(days=number) for number in range(12)]
VALID_DAYS = 7


def deliver(site: Site, day: date, *orders: tuple[str, str, int]) -> None:
    """The day's orders: number, currency, and the price of its one line."""
    site.put(
        "orders",
        day,
        [
            {"order_id": name, "customer_id": name, "order_date": day, "currency": currency, "tax_amount": price // 10}
            for name, currency, price in orders
        ],
    )
    site.put(
        "order_items",
        day,
        [
            {"order_id": name, "line_number": 1, "order_date": day, "product_id": currency, "unit_price": price}
            for name, currency, price in orders
        ],
    )


def rates(site: Site, day: date, rows: Mapping[str, str], *, at: str = "16:00", of: date | None = None) -> None:
    """A file of rates of `day`, by currency; `of`: the date in its name, where it comes later."""
    site.put(
        "exchange_rates",
        of or day,
        [
            {"currency": name, "rate_date": day, "rate": rate, "published_at": f"{of or day} {at}:00"}
            for name, rate in rows.items()
        ],
    )


def revenue(site: Site) -> dict[date, Decimal | None]:
    return dict(site.ask("select order_date, gross_revenue from gold.daily_revenue order by 1"))


def unconverted(site: Site) -> list[tuple[Any, ...]]:
    return site.ask(
        "select currency, orders, first_date, last_date, newest_rate_date from silver.rec_unconverted_orders order by 1"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Twelve days with 100 dollars each, and an order over 250,000 yen on some; a rate of the yen on the first day."""
    site = Site(tmp_path_factory.mktemp("currencies") / "home", "ecommerce")
    rates(site, DAYS[0], {"JPY": "0.0064", "EUR": "1.08"})
    for number, day in enumerate(DAYS):
        yen = [(f"J{number}", "JPY", 250_000)] if number in (0, 3, VALID_DAYS, VALID_DAYS + 1) else []
        deliver(site, day, (f"D{number}", "USD", 100), *yen)
    site.run()
    return site


def test_yen_do_not_add_to_dollars_and_a_rate_holds_for_some_days(site: Site) -> None:
    shown = revenue(site)
    assert shown[DAYS[0]] == shown[DAYS[3]] == shown[DAYS[VALID_DAYS]] == 100 + Decimal("1600")
    assert shown[DAYS[1]] == 100
    assert site.ask(
        "select exchange_rate, exchange_rate_date, tax_amount, tax_amount_in_order_currency"
        " from silver.fact_orders where order_id in ('J3', 'D3') order by order_id"
    ) == [
        (1, None, 10, 10),
        (Decimal("0.0064"), DAYS[0], 160, 25_000),
    ]


def test_without_a_rate_the_day_and_all_that_contains_it_are_unknown(site: Site) -> None:
    last = DAYS[VALID_DAYS + 1]
    assert revenue(site)[last] is None
    assert unconverted(site) == [("JPY", 1, last, last, DAYS[0])]
    assert site.ask(
        "select order_date, revenue_7d_avg is null from gold.daily_revenue where order_date >= ? order by 1".replace(
            "?", f"date '{DAYS[VALID_DAYS]}'"
        )
    ) == [(day, day >= last) for day in DAYS[VALID_DAYS:]]
    assert site.ask("select period, gross_revenue, net_revenue from gold.executive_summary order by 1") == [
        ("all_time", None, None),
        ("last_30_days", None, None),
        ("last_7_days", None, None),
    ]
    assert site.ask(
        "select customer_id, gross_revenue from gold.customer_metrics where customer_id in ('D8', 'J8') order by 1"
    ) == [("D8", 100), ("J8", None)]
    assert site.ask("select product_id, gross_revenue from gold.product_performance order by 1") == [
        ("JPY", None),
        ("USD", 1200),
    ]
    assert site.ask("select status from gold.data_anomalies order by order_date")[VALID_DAYS + 1] == (
        "Revenue Unknown",
    )


def test_a_late_rate_a_correction_and_its_withdrawal_reach_the_days_that_use_it(site: Site) -> None:
    unknown, newest = DAYS[VALID_DAYS + 1], DAYS[-1]
    rates(site, DAYS[2], {"JPY": "0.0065"}, of=newest)
    site.run()
    assert unconverted(site) == []
    assert revenue(site)[unknown] == revenue(site)[DAYS[3]] == 100 + Decimal("1625")
    assert revenue(site)[DAYS[0]] == 100 + Decimal("1600")

    # The same rate again, published earlier: it changes nothing. Then published later.
    rates(site, DAYS[2], {"JPY": "0.0099"}, at="09:00", of=newest - timedelta(days=1))
    site.run()
    assert revenue(site)[unknown] == 100 + Decimal("1625")
    rates(site, DAYS[2], {"JPY": "0.0066"}, at="18:00", of=newest)
    site.run()
    assert revenue(site)[unknown] == 100 + Decimal("1650")
    assert_as_if_built_at_once(site)

    # The files about that day are corrected: they had no rate of it after all.
    rates(site, DAYS[2], {}, of=newest)
    rates(site, DAYS[2], {}, of=newest - timedelta(days=1))
    site.run()
    assert revenue(site)[unknown] is None
    assert revenue(site)[DAYS[3]] == 100 + Decimal("1600")
    assert_as_if_built_at_once(site)


def test_a_rate_for_the_other_direction_is_refused_and_one_far_off_is_told(site: Site) -> None:
    rates(site, DAYS[5], {"JPY": "156.25", "EUR": "1.09"})
    site.run()
    assert site.ask("select column_name from ops.quarantine where feed = 'exchange_rates'") == [("rate",)]
    rates(site, DAYS[6], {"EUR": "0.95"})
    site.run()
    # 0.95 euros for a dollar instead of 1.05 dollars for a euro: within what currencies do in a week.
    assert small_steps(site) == "pass"
    rates(site, DAYS[7], {"EUR": "0.0951"})
    site.run()
    assert small_steps(site) == "warn"


def small_steps(site: Site) -> str:
    """How the test of that name ends."""
    with site.settings.exported():
        invocation = dbt_runner.build(
            dbt_manifest.load(), site.settings, select=["test_name:small_steps"], as_of=site.clock, command="test"
        )
        [event] = [event for event in invocation if event["info"]["name"] == "LogTestResult"]
    return str(event["data"]["status"])


def assert_as_if_built_at_once(site: Site) -> None:
    step_by_step = tables(site)
    with site.connect() as connection:
        connection.execute("drop schema silver cascade; drop schema gold cascade; delete from ops.builds")
    site.build()
    assert tables(site) == step_by_step


def test_a_line_whose_order_has_not_come_counts_in_no_amount(tmp_path: Path) -> None:
    """Its currency is not known: 250,000 may be yen."""
    site = Site(tmp_path / "home", "ecommerce")
    deliver(site, MONDAY, ("D", "USD", 100))
    line = {"order_id": "J", "line_number": 1, "order_date": MONDAY, "product_id": "P", "unit_price": 250_000}
    site.put("order_items", DAYS[1], [line])
    site.run()
    lines = "select order_date, net_revenue, unmatched_lines from gold.daily_revenue order by 1"
    assert site.ask(lines) == [(MONDAY, 100, 1)]
    rates(site, MONDAY, {"JPY": "0.0064"})
    site.put("orders", DAYS[1], [{"order_id": "J", "customer_id": "J", "order_date": MONDAY, "currency": "JPY"}])
    site.run()
    assert site.ask(lines) == [(MONDAY, 1700, 0)]
