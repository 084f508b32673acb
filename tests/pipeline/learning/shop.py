"""A small seeded shop in silver: customers with a rhythm, some of whom leave, and products that belong together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from ops_project import catalog
from ops_project.model.learning import Learning
from ops_project.pipeline.landing import ensure_tables
from ops_project.pipeline.learning.candidates import Spoil, Training
from ops_project.pipeline.learning.registry import Registry
from ops_project.pipeline.learning.scoring import Scoring
from ops_project.settings import Settings

FIRST = date(2026, 1, 1)
CUSTOMERS, DAYS = 900, 80
TODAY = FIRST + timedelta(days=DAYS)
NOW = datetime(2026, 3, 22, 12, tzinfo=UTC)
PRODUCTS = 40

SCHEMA = """
create schema if not exists bronze; create schema if not exists silver; create schema if not exists gold;
create table silver.int_customer_days (
    customer_id varchar, business_date date, orders integer, undone_orders integer, sales_orders integer, units bigint,
    gross_revenue decimal(18, 4), web_events integer, product_views integer
);
create table bronze.orders (
    order_id varchar, customer_id varchar, status varchar, business_date date, updated_at timestamp, currency varchar,
    _batch_id varchar, _load_seq bigint, _line bigint
);
create table silver.fact_exchange_rates (currency varchar, rate_date date, exchange_rate decimal(18, 8));
create table bronze.order_items (
    order_id varchar, line_number integer, quantity integer, unit_price decimal(12, 2), business_date date,
    _batch_id varchar, _load_seq bigint, _line bigint
);
create table bronze.web_events (
    event_id bigint, customer_id varchar, event_type varchar, business_date date, _batch_id varchar, _load_seq bigint,
    _line bigint
);
create table silver.fact_order_items (order_id varchar, product_id varchar, is_sale boolean, order_date date);
create table silver.fact_web_events (session_id varchar, product_id varchar, event_type varchar, event_date date);
create table silver.dim_products (
    product_id varchar, product_name varchar, category varchar, is_active boolean, is_current boolean
);
"""


def shipped() -> Learning:
    """The configuration that the project ships."""
    return catalog.load(Settings.load(environ={})).models


def shop(path: Path | None = None, seed: int = 5, days: int = DAYS) -> duckdb.DuckDBPyConnection:
    """The shop after `days` days."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    ensure_tables(connection, [])
    connection.execute(SCHEMA)
    rng = np.random.default_rng(seed)
    rate = rng.choice([0.03, 0.10, 0.30], CUSTOMERS, p=[0.4, 0.4, 0.2])
    leaves = rng.integers(10, 160, CUSTOMERS)
    day = np.arange(days)
    # Interest fades over three weeks before a customer stops. A model can see this, and the plain rule of recency
    # cannot.
    fading = np.clip((leaves[:, None] - day[None, :]) / 21, 0, 1)
    buys = rng.random((CUSTOMERS, days)) < rate[:, None] * fading
    views = rng.poisson(3 * rate[:, None] * fading)
    who, when = np.nonzero(buys | (views > 0))
    spend = np.round(rng.lognormal(3 + 3 * rate[who], 0.6), 2)
    frame = {
        "customer_id": np.array([f"C{index:05d}" for index in who], dtype=object),
        "day": when.astype("int64"),
        "orders": buys[who, when].astype("int64"),
        "undone": (buys[who, when] & (rng.random(len(who)) < 0.05)).astype("int64"),
        "revenue": np.where(buys[who, when], spend, 0.0),
        "views": views[who, when].astype("int64"),
    }
    connection.register("frame", frame)
    connection.execute(
        f"""
        insert into silver.int_customer_days
        select customer_id, date '{FIRST}' + day::integer, orders, undone, orders, orders, revenue, views, views
        from frame
        """
    )
    connection.unregister("frame")
    # Products 0 and 1, 2 and 3, and so on are bought together.
    connection.execute(
        f"""
        insert into silver.dim_products
        select 'P' || range, 'Product ' || range, case when range = 39 then 'other' else 'goods' end, true, true
        from range({PRODUCTS})
        """
    )
    orders = 3_000
    first = rng.integers(0, PRODUCTS, orders)
    second = np.where(rng.random(orders) < 0.6, first ^ 1, rng.integers(0, PRODUCTS, orders))
    lines = {
        "number": np.arange(orders),
        "first": first,
        "second": second,
        "day": rng.integers(0, days, orders),
    }
    connection.register("lines", lines)
    connection.execute(
        f"""
        insert into silver.fact_order_items
        select 'O' || number, 'P' || product, true, date '{FIRST}' + day::integer
        from (select number, day, unnest([first, second]) as product from lines)
        """
    )
    connection.unregister("lines")
    return connection


def training(
    connection: duckdb.DuckDBPyConnection,
    registry: Registry,
    spoil: Spoil | None = None,
    parameters: Learning | None = None,
    now: datetime = NOW,
) -> Training:
    return Training(connection, parameters or shipped(), registry, now, now.date(), "run", "commit", spoil)


def scoring(connection: duckdb.DuckDBPyConnection, registry: Registry, now: datetime = NOW) -> Scoring:
    return Scoring(connection, shipped(), registry, now, now.date(), "run", "commit")


def findings(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """The kind, the asset and the message of each open finding."""
    return connection.execute(
        "select kind, asset, message from ops.findings where state = 'open' order by kind, message"
    ).fetchall()
