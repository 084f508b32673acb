"""An order in another currency counts at the rate of its day. Without a rate the day's revenue is unknown, and not
0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from tests.numbers.site import Site
from tests.numbers.test_incremental_is_full import tables

MONDAY = date(2026, 5, 4)
VALID_DAYS = 7
# On the last day the rate of the first is too old, and enough days lie before it for its orders to be judged.
DAYS = [MONDAY + timedelta(days=number) for number in range(VALID_DAYS + 2)]


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
    """A file of rates of `day`, by currency. `of`: the date in the file's name, if the file comes later."""
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


MODELS = ("fact_exchange_rates", "fact_orders", "fact_order_items", "daily_revenue", "rec_unconverted_orders")
LATE = {"order_id": "L", "line_number": 1, "order_date": DAYS[1], "product_id": "JPY", "unit_price": 250_000}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Nine days with 100 dollars each, and on some of them an order of 250,000 yen. There is a rate of the yen on the
    first day.

    On the second day there is a line whose order has not come.
    """
    site = Site(tmp_path_factory.mktemp("currencies") / "home", "ecommerce")
    rates(site, DAYS[0], {"JPY": "0.0064", "EUR": "1.08"})
    for number, day in enumerate(DAYS):
        yen = [(f"J{number}", "JPY", 250_000)] if number in (0, 3, VALID_DAYS, VALID_DAYS + 1) else []
        deliver(site, day, (f"D{number}", "USD", 100), *yen)
    site.put("order_items", DAYS[-1] + timedelta(days=1), [LATE])
    site.run()
    return site


@pytest.fixture(scope="module")
def with_late_files(site: Site) -> Site:
    """The same home after the rate of the third day, and the order of the line without an order, have come late.

    This is a fixture, so that each test that needs it may also run alone.
    """
    newest = DAYS[-1]
    rates(site, DAYS[2], {"JPY": "0.0065"}, of=newest)
    late = {"order_id": "L", "customer_id": "L", "order_date": DAYS[1], "currency": "JPY"}
    site.put("orders", newest + timedelta(days=1), [late])
    site.run(*MODELS)
    return site


def test_yen_do_not_add_to_dollars_and_a_rate_holds_for_some_days(site: Site) -> None:
    shown = revenue(site)
    assert shown[DAYS[0]] == shown[DAYS[3]] == shown[DAYS[VALID_DAYS]] == 100 + Decimal("1600")
    assert shown[DAYS[1]] == 100
    amounts = "exchange_rate, exchange_rate_date, tax_amount, tax_amount_in_order_currency"
    assert site.ask(f"select {amounts} from silver.fact_orders where order_id in ('J3', 'D3') order by order_id") == [
        (1, None, 10, 10),
        (Decimal("0.0064"), DAYS[0], 160, 25_000),
    ]


def test_a_line_whose_order_has_not_come_counts_in_no_amount(site: Site) -> None:
    """The currency of this line is not known: 250,000 may be yen."""
    lines = f"select net_revenue, unmatched_lines from gold.daily_revenue where order_date = date '{DAYS[1]}'"
    assert site.ask(lines) == [(100, 1)]


def test_without_a_rate_the_day_and_all_that_contains_it_are_unknown(site: Site) -> None:
    last = DAYS[VALID_DAYS + 1]
    assert revenue(site)[last] is None
    assert unconverted(site) == [("JPY", 1, last, last, DAYS[0])]
    week = f"select order_date from gold.daily_revenue where revenue_7d_avg is null and order_date >= '{DAYS[7]}' order by 1"
    assert site.ask(week) == [(day,) for day in DAYS if day >= last]
    assert site.ask("select period, gross_revenue, net_revenue from gold.executive_summary order by 1") == [
        ("all_time", None, None),
        ("last_30_days", None, None),
        ("last_7_days", None, None),
    ]
    bought = "select customer_id, gross_revenue from gold.customer_metrics where customer_id in ('D8', 'J8') order by 1"
    assert site.ask(bought) == [("D8", 100), ("J8", None)]
    assert site.ask("select product_id, gross_revenue from gold.product_performance order by 1") == [
        ("JPY", None),
        ("USD", 100 * len(DAYS)),
    ]
    assert ("Revenue Unknown",) in site.ask("select status from gold.data_anomalies")


def test_a_rate_and_an_order_that_come_late_reach_the_days_that_use_them(with_late_files: Site) -> None:
    site, unknown = with_late_files, DAYS[VALID_DAYS + 1]
    assert unconverted(site) == []
    assert revenue(site)[unknown] == revenue(site)[DAYS[3]] == 100 + Decimal("1625")
    assert revenue(site)[DAYS[0]] == revenue(site)[DAYS[1]] == 100 + Decimal("1600")


@pytest.mark.soak
def test_a_correction_and_a_withdrawal_of_a_rate_reach_the_days_that_use_it(with_late_files: Site) -> None:
    site, unknown, newest = with_late_files, DAYS[VALID_DAYS + 1], DAYS[-1]
    # The same rate comes again, published earlier, and changes nothing. Then it comes published later.
    rates(site, DAYS[2], {"JPY": "0.0099"}, at="09:00", of=newest - timedelta(days=1))
    site.run()
    assert revenue(site)[unknown] == 100 + Decimal("1625")
    rates(site, DAYS[2], {"JPY": "0.0066"}, at="18:00", of=newest)
    site.run()
    assert revenue(site)[unknown] == 100 + Decimal("1650")
    assert_as_if_built_at_once(site)

    # The files about that day are corrected: they had no rate for it.
    rates(site, DAYS[2], {}, of=newest)
    rates(site, DAYS[2], {}, of=newest - timedelta(days=1))
    site.run()
    assert revenue(site)[unknown] is None
    assert revenue(site)[DAYS[3]] == 100 + Decimal("1600")
    assert_as_if_built_at_once(site)


def assert_as_if_built_at_once(site: Site) -> None:
    step_by_step = tables(site)
    with site.connect() as connection:
        connection.execute("drop schema silver cascade; drop schema gold cascade; delete from ops.builds")
    site.build()
    assert tables(site) == step_by_step


@pytest.mark.soak
def test_tables_in_another_reporting_currency_are_built_anew(site: Site) -> None:
    """One table must not contain figures in two currencies."""
    before = revenue(site)
    site.build(reporting_currency="JPY")
    assert {row[0] for row in site.ask("select distinct reporting_currency from gold.daily_revenue")} == {"JPY"}
    assert all(amount is None for amount in revenue(site).values()), "no rate from dollars to yen is known"
    site.build()
    assert revenue(site) == before


def test_a_rate_for_the_other_direction_is_refused_and_one_far_off_is_told(site: Site) -> None:
    rates(site, DAYS[5], {"JPY": "156.25", "EUR": "0.108"})
    site.run("fact_exchange_rates")
    assert site.ask("select column_name from ops.quarantine where feed = 'exchange_rates'") == [("rate",)]
    with site.settings.exported():
        invocation = dbt_runner.build(
            dbt_manifest.load(), site.settings, select=["test_name:small_steps"], as_of=site.clock, command="test"
        )
        [event] = [event for event in invocation if event["info"]["name"] == "LogTestResult"]
    assert event["data"]["status"] == "warn"
