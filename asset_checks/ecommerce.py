"""Checks of the e-commerce domain: totals that must be equal on both sides of a hop, and the table with the daily
verdicts on anomalies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asset_checks.specs import AnomalySeries, ControlTotal
from asset_checks.stated import StatedCheck

# The condition for the order lines that count. If the contract delivers whole orders, only the lines of an order's
# newest file count.
LINES_THAT_COUNT = """
    select order_id, line_number, business_date
    from bronze.order_items
    left join (select batch_id, business_date as file_date from ops.batches) as files on _batch_id = batch_id
    where {dates}
    qualify
        not exists (select 1 from ops.feeds where feed = 'order_items' and replaces_by = 'order_id')
        or rank() over (
            partition by business_date, order_id
            order by file_date desc nulls last, _load_seq desc
        ) = 1
"""

# Silver keeps the latest delivery of a key. So it holds as many rows as bronze holds different keys.
TABLES: Mapping[str, Mapping[str, Any]] = {
    "silver.fact_orders": {
        "control_totals": (
            ControlTotal(
                name="orders",
                source="bronze.orders",
                source_value="count(distinct order_id)",
                target_value="count(*)",
                source_date="business_date",
                target_date="business_date",
            ),
        ),
    },
    "silver.fact_order_items": {
        "control_totals": (
            ControlTotal(
                name="order_lines",
                source="bronze.order_items",
                source_value="count(distinct hash(order_id, line_number))",
                target_value="count(*)",
                source_date="business_date",
                target_date="business_date",
                source_rows=LINES_THAT_COUNT,
            ),
        ),
    },
    "silver.int_customer_days": {
        "control_totals": (
            ControlTotal(
                name="orders",
                source="silver.fact_orders",
                source_value="count(customer_id)",
                target_value="sum(orders)",
                source_date="business_date",
                target_date="business_date",
            ),
            ControlTotal(
                name="web_events",
                source="silver.fact_web_events",
                source_value="count(customer_id)",
                target_value="sum(web_events)",
                source_date="business_date",
                target_date="business_date",
            ),
        ),
    },
    "silver.fact_web_events": {
        "control_totals": (
            ControlTotal(
                name="events",
                source="bronze.web_events",
                source_value="count(distinct event_id)",
                target_value="count(*)",
                source_date="business_date",
                target_date="business_date",
            ),
        ),
    },
    # If every order has an exchange rate, this table is empty.
    "silver.rec_unconverted_orders": {"expected": False},
    "gold.daily_revenue": {
        "control_totals": (
            ControlTotal(
                name="orders",
                source="silver.fact_orders",
                source_value="count(*)",
                target_value="sum(total_orders)",
                source_date="order_date",
                target_date="order_date",
            ),
            ControlTotal(
                name="gross_revenue",
                source="silver.fact_order_items",
                source_value="sum(line_amount) filter (where is_sale)",
                target_value="sum(gross_revenue)",
                source_date="order_date",
                target_date="order_date",
                tolerance=0.005,
            ),
            ControlTotal(
                name="net_revenue",
                source="silver.fact_order_items",
                source_value="sum(net_amount)",
                target_value="sum(net_revenue)",
                source_date="order_date",
                target_date="order_date",
                tolerance=0.005,
            ),
        ),
    },
    "gold.data_anomalies": {
        "anomalies": AnomalySeries(
            date_column="order_date",
            unknown=("Insufficient History", "Revenue Unknown"),
            evidence_columns=(
                "order_count",
                "expected_order_count",
                "orders_z_score",
                "revenue",
                "expected_revenue",
                "revenue_z_score",
                "baseline",
            ),
        ),
    },
}

STATED = (
    StatedCheck(
        name="exchange_rate_missing",
        asset="silver.fact_orders",
        table="silver.rec_unconverted_orders",
        failing="orders > 0",
        says="orders || case when orders = 1 then ' order' else ' orders' end || ' in ' || currency"
        " || case when days = 1 then ' of ' || first_date"
        " else ' of ' || days || ' days from ' || first_date || ' to ' || last_date end"
        " || case when orders = 1 then ' has' else ' have' end || ' no exchange rate to ' || reporting_currency"
        " || case when newest_rate_date is null then '; no rate of ' || currency || ' has ever come'"
        " else '; the newest rate of ' || currency || ' is that of ' || newest_rate_date end",
        description="Every order has an exchange rate to the reporting currency, of its day or of the days before.",
        advice="The revenue of these days is not known, and gold keeps its last good state. Ask the contact of feed"
        " exchange_rates for the rates of these days (`ops feed list`), put the file into the inbound folder, then"
        " `ops run`. If all orders are in this currency, name it as reporting_currency in platform.yaml.",
        failure_class="reference_violation",
        evidence=("currency", "orders", "days", "first_date", "last_date", "newest_rate_date"),
        order="orders desc, currency",
        blocking=True,
    ),
)
