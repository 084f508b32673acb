"""The simulated files have the properties of real sources: references hold, totals agree, and patterns can be learned."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb

from ops_project.settings import Settings
from ops_project.simulator import simulate
from ops_project.simulator.ecommerce_rates import rate
from ops_project.simulator.world import World
from tests.simulator.conftest import END, SCALE, home


def read(settings: Settings, domain: str, pattern: str) -> duckdb.DuckDBPyRelation:
    return duckdb.read_csv(str(settings.inbound / domain / pattern), all_varchar=True)


def test_references_of_the_shop_hold_and_totals_agree(week: Settings) -> None:
    folder = week.inbound / "ecommerce"
    orders, items = f"{folder}/orders_*.csv", f"{folder}/order_items_*.csv"
    events, customers = f"{folder}/web_events_*.csv", f"{folder}/customers_{END}.csv"
    checks = {
        "items without order": f"FROM '{items}' ANTI JOIN '{orders}' USING (order_id)",
        "orders without item": f"FROM '{orders}' ANTI JOIN '{items}' USING (order_id)",
        "orders of unknown customers": f"FROM '{orders}' o ANTI JOIN '{customers}' USING (customer_id) "
        "WHERE o.customer_id IS NOT NULL",
        "events of unknown customers": f"FROM '{events}' o ANTI JOIN '{customers}' USING (customer_id) "
        "WHERE o.customer_id IS NOT NULL",
        "items of unknown products": f"FROM '{items}' ANTI JOIN '{folder}/products_{END}.csv' USING (product_id)",
        "order twice": f"FROM (SELECT 1 FROM '{orders}' GROUP BY order_id HAVING count(*) > 1)",
        "event twice": f"FROM (SELECT 1 FROM '{events}' GROUP BY event_id HAVING count(*) > 1)",
    }
    for name, sql in checks.items():
        assert duckdb.sql(f"SELECT count(*) {sql}").fetchone() == (0,), name


def test_the_shop_sells_in_two_currencies_and_sends_a_rate_each_day(week: Settings) -> None:
    """Amounts are in the order's currency: a customer always pays in one, at the price list of that currency."""
    folder = week.inbound / "ecommerce"
    orders = f"'{folder}/orders_*.csv'"
    shares = dict(duckdb.sql(f"SELECT currency, count(*) / sum(count(*)) OVER () FROM {orders} GROUP BY 1").fetchall())
    assert shares.keys() == {"USD", "EUR"} and 0.03 < shares["EUR"] < 0.3
    mixed = f"FROM {orders} WHERE customer_id IS NOT NULL GROUP BY customer_id HAVING count(DISTINCT currency) > 1"
    assert duckdb.sql(f"SELECT count(*) FROM (SELECT 1 {mixed})").fetchone() == (0,)
    rates = duckdb.sql(f"SELECT currency, rate_date, rate FROM '{folder}/exchange_rates_*.csv' ORDER BY 2").fetchall()
    assert [row[:2] for row in rates] == [("EUR", END - timedelta(days=back)) for back in reversed(range(len(rates)))]
    assert len({row[2] for row in rates}) > 1 and all(0.8 < row[2] < 1.4 for row in rates)


def test_the_rate_is_plausible_on_every_day_of_the_platform() -> None:
    found = [rate(World(), date(2009, 1, 1) + timedelta(days=30 * n)) for n in range(250)]
    assert 0.9 < min(found) < 1.05 < 1.12 < max(found) < 1.3


def test_purchases_on_the_web_are_orders(week: Settings) -> None:
    folder = week.inbound / "ecommerce"
    purchases = duckdb.sql(f"SELECT count(*) FROM '{folder}/web_events_*.csv' WHERE event_type = 'purchase'").fetchone()
    online = duckdb.sql(f"SELECT count(*) FROM '{folder}/orders_*.csv' WHERE channel <> 'store'").fetchone()
    assert purchases == online


def test_customers_change_over_time(tmp_path: Path) -> None:
    """Dimensions with history have work: tiers and addresses change on certain dates, and only then."""
    settings = home(tmp_path)
    simulate(settings, domain="ecommerce", days=3, end=END, scale=1)
    sql = f"""
        SELECT b.customer_id, b.updated_at::DATE AS changed, (a.loyalty_tier, a.city) <> (b.loyalty_tier, b.city) AS differs
        FROM '{settings.inbound}/ecommerce/customers_{END - timedelta(days=1)}.csv' a
        JOIN '{settings.inbound}/ecommerce/customers_{END}.csv' b USING (customer_id)"""
    changed = duckdb.sql(f"SELECT count(*) FROM ({sql}) WHERE changed = DATE '{END}'").fetchone()
    differing = duckdb.sql(
        f"SELECT count(*) FILTER (changed <> DATE '{END}'), count(*) FROM ({sql}) WHERE differs"
    ).fetchone()
    assert changed is not None and differing is not None
    assert changed[0] >= differing[1] > 0
    assert differing[0] == 0, "nobody changes without a change date"


def test_products_are_bought_together(tmp_path: Path) -> None:
    """A recommender can learn from this: some pairs occur far more often than by chance."""
    settings = home(tmp_path)
    simulate(settings, domain="ecommerce", days=7, end=END, scale=1)
    top = duckdb.sql(
        f"""
        WITH items AS (SELECT DISTINCT order_id, product_id FROM '{settings.inbound}/ecommerce/order_items_*.csv'),
        orders AS (SELECT count(DISTINCT order_id) AS n FROM items),
        frequency AS (SELECT product_id, count(*) AS n FROM items GROUP BY ALL)
        SELECT count(*) * orders.n / (first.n * second.n) AS lift
        FROM items a JOIN items b ON a.order_id = b.order_id AND a.product_id < b.product_id
        JOIN frequency first ON first.product_id = a.product_id
        JOIN frequency second ON second.product_id = b.product_id, orders
        GROUP BY a.product_id, b.product_id, orders.n, first.n, second.n HAVING count(*) >= 10 ORDER BY lift DESC LIMIT 10
        """
    ).fetchall()
    assert len(top) == 10
    assert min(lift for (lift,) in top) > 3


def test_policy_changes_are_numbered_without_gap(week: Settings) -> None:
    rows = read(week, "insurance", "policies_*.csv").project("cdc_seq::BIGINT AS n").order("n").fetchall()
    numbers = [n for (n,) in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_deltas_of_the_mart_add_up_to_its_next_full_extract(week: Settings, tmp_path: Path) -> None:
    """Full extract of the first day plus six deltas = the full extract that a new client gets on the last day."""
    fresh = home(tmp_path)
    simulate(fresh, domain="marketing", days=1, end=END, scale=SCALE)
    for feed, key in {
        "mart_customers": "customer_id",
        "mart_contact_points": "customer_id, contact_point_type, contact_point_number",
        "mart_consents": "customer_id, channel",
        "mart_campaigns": "campaign_id",
        "mart_cells": "cell_id",
        "mart_offers": "offer_id",
    }.items():
        deltas = f"""
            SELECT * EXCLUDE (op, file) FROM (
                FROM read_csv('{week.inbound}/marketing/{feed}_*.dat', delim = '|', all_varchar = true, filename = 'file')
                QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY file DESC) = 1
            ) WHERE op <> 'D'"""
        full = f"""
            SELECT * EXCLUDE (op) FROM read_csv('{fresh.inbound}/marketing/{feed}_*.dat', delim = '|', all_varchar = true)"""
        assert not duckdb.sql(f"{full} EXCEPT {deltas}").fetchall(), feed
        # The mart forgets campaigns that are more than a year old, whatever it said about them.
        surplus = duckdb.sql(f"{deltas} EXCEPT {full}").fetchall()
        assert not surplus or feed in ("mart_campaigns", "mart_cells", "mart_offers"), feed


def test_the_mart_sends_every_operation(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="marketing", days=14, end=END, scale=1)
    for feed in ("mart_customers", "mart_contact_points", "mart_consents", "mart_contacts"):
        ops: Counter[str] = Counter()
        for path in sorted((settings.inbound / "marketing").glob(f"{feed}_*.dat"))[1:]:
            with path.open(newline="") as lines:
                ops.update(row["op"] for row in csv.DictReader(lines, delimiter="|"))
        assert set(ops) == {"I", "U", "D"}, feed


def test_control_cells_respond_less(tmp_path: Path) -> None:
    settings = home(tmp_path)
    simulate(settings, domain="marketing", days=30, end=END, scale=4)
    folder = settings.inbound / "marketing"
    rates = duckdb.sql(
        f"""
        SELECT contact_status = 'control' AS control, count(response_id) / count(*) AS rate
        FROM read_csv('{folder}/mart_contacts_*.dat', delim = '|', all_varchar = true) contacts
        LEFT JOIN (
            FROM read_csv('{folder}/mart_responses_*.dat', delim = '|', all_varchar = true)
            WHERE response_type = 'conversion') USING (treatment_id)
        WHERE contacts.op = 'I' AND contact_status <> 'bounced' GROUP BY ALL ORDER BY control
        """
    ).fetchall()
    assert [control for control, _ in rates] == [False, True]
    assert rates[0][1] > 1.2 * rates[1][1] > 0


def test_streams_of_players_without_connection_come_late(week: Settings) -> None:
    folder = week.inbound / "streaming"
    assert len(list(folder.glob(f"streams_{END:%Y%m%d}_*.jsonl"))) == 6
    late = duckdb.sql(
        f"""SELECT count(*), count(*) FILTER (NOT is_offline) FROM '{folder}/streams_{END:%Y%m%d}_*.jsonl'
        WHERE listened_at::DATE < DATE '{END}'"""
    ).fetchone()
    assert late is not None
    assert late[0] > 0
    assert late[1] == 0
