"""The sources of the investor metrics: transactions, marketing spend, experiment assignments and product events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator.investor_units import Sales, Units, running, sales_of, start_of
from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.timing import arrival, demand, seconds_of_day
from ops_project.simulator.world import World, days_since_epoch, weighted

DOMAIN = "investor"
FEEDS = ("transactions", "marketing_spend", "experiment_assignments", "product_events")

LINES = ("subscription", "add_on", "hardware", "services")
REGIONS = ("north_america", "europe", "asia_pacific", "latin_america")
CHANNELS = ("search", "social", "email", "partner", "direct")
# SPEND is in dollars per day, CLICKS in clicks per dollar, IMPRESSIONS in impressions per click.
SPEND = np.array([1_900.0, 1_400.0, 220.0, 650.0, 120.0])
CLICKS = np.array([0.9, 1.6, 4.0, 0.7, 0.3])
IMPRESSIONS = np.array([28, 95, 6, 40, 12])
EVENTS = ("session_start", "content_viewed", "feature_used", "shared", "purchase_started")
PLATFORMS = ("ios", "android", "web")
SESSIONS_A_DAY = 0.45

TRANSACTION_SQL = """
    transaction_id, 'UNT' || lpad(unit::VARCHAR, 8, '0') AS unit_id, make_timestamp(occurred * 1000000) AS occurred_at,
    product_line, region, channel, quantity, (revenue_cents / 100)::DECIMAL(12, 2) AS unit_revenue,
    (cost_cents / 100)::DECIMAL(12, 2) AS unit_cost, 'USD' AS currency, status,
    make_timestamp(updated * 1000000) AS updated_at"""
SPEND_SQL = """
    spend_date, channel, impressions, clicks, (spend_cents / 100)::DECIMAL(14, 2) AS spend_amount, 'USD' AS currency"""
ASSIGNMENT_SQL = """
    'EXP' || lpad(experiment::VARCHAR, 5, '0') AS experiment_id, 'UNT' || lpad(unit::VARCHAR, 8, '0') AS unit_id, arm,
    0.5::DECIMAL(5, 4) AS expected_share, make_timestamp(assigned * 86400000000) AS assigned_at"""
EVENT_SQL = """
    event_id, 'UNT' || lpad(unit::VARCHAR, 8, '0') AS unit_id, 'PS' || session AS session_id,
    event_name::VARCHAR AS event_name, make_timestamp(occurred * 1000000) AS occurred_at,
    platform::VARCHAR AS platform, duration_seconds::INTEGER AS duration_seconds"""


def file_name(feed: str, day: date) -> str:
    """The name of the feed's file of a day."""
    return f"{feed}_{day:%Y%m%d}.{'parquet' if feed == 'product_events' else 'csv'}"


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:
    """Stage the files of business date `day`. `first`: they contain no late transactions of the day before."""
    staged: tuple[tuple[str, Callable[[], Sequence[Columns]], str, str], ...] = (
        ("transactions", lambda: _sales(world, day, first=first), TRANSACTION_SQL, "FORMAT csv"),
        ("marketing_spend", lambda: [_spend(world, day)], SPEND_SQL, "FORMAT csv"),
        ("experiment_assignments", lambda: _assignments(world, day), ASSIGNMENT_SQL, "FORMAT csv"),
        ("product_events", lambda: [_events(world, day)], EVENT_SQL, "FORMAT parquet"),
    )
    for feed, columns, sql, dialect in staged:
        if outbox.wants(feed):
            arrives = arrival(world, zone, DOMAIN, feed, day)
            outbox.write(
                feed, file_name(feed, day), day, arrives_at=arrives, columns=columns(), select=sql, dialect=dialect
            )


def _sales(world: World, day: date, *, first: bool) -> list[Columns]:
    """The day's transactions, and those of the day before that are recorded late."""
    late = [] if first else [transactions(sales_of(world, day - timedelta(days=1)), late=True)]
    return [*late, transactions(sales_of(world, day), late=False)]


def transactions(sales: Sales, *, late: bool) -> Columns:
    """The transactions of a day. True for `late`: only the transactions that are recorded on the next day. False: all
    others.
    """
    chosen = np.flatnonzero(sales.late == late)
    midnight = days_since_epoch(sales.day) * 86_400
    occurred = midnight + sales.second[chosen]
    return {
        "transaction_id": int(f"{sales.day:%Y%m%d}") * 10**7 + 1 + chosen,
        "unit": sales.unit[chosen] + 1,
        "occurred": occurred,
        "product_line": choice(LINES, sales.line[chosen]),
        "region": choice(REGIONS, sales.region[chosen]),
        "channel": choice(CHANNELS, sales.channel[chosen]),
        "quantity": sales.quantity[chosen],
        "revenue_cents": sales.revenue_cents[chosen],
        "cost_cents": sales.cost_cents[chosen],
        "status": choice(("settled", "refunded"), sales.refunded[chosen].astype(int)),
        "updated": occurred + 86_400 if late else np.minimum(occurred + 300, midnight + 86_399),
    }


def _spend(world: World, day: date) -> Columns:
    rng = world.rng(DOMAIN, "spend", day)
    factor = demand(world, DOMAIN + "/spend", day) * np.exp(0.06 * rng.standard_normal(len(CHANNELS)))
    dollars = SPEND * world.scale * factor
    clicks = rng.poisson(dollars * CLICKS)
    return {
        "spend_date": np.full(len(CHANNELS), np.datetime64(day)),
        "channel": choice(CHANNELS, np.arange(len(CHANNELS))),
        "impressions": rng.poisson(clicks * IMPRESSIONS),
        "clicks": clicks,
        "spend_cents": np.round(dollars * 100).astype(np.int64),
    }


def _assignments(world: World, day: date) -> list[Columns]:
    units = Units(world, day)
    result: list[Columns] = []
    for experiment in running(days_since_epoch(day)):
        chosen = np.flatnonzero(units.enrolled(experiment))
        result.append(
            {
                "experiment": np.full(len(chosen), experiment),
                "unit": chosen + 1,
                "arm": choice(("control", "treatment"), units.treated(experiment)[chosen].astype(int)),
                "assigned": np.maximum(start_of(experiment), units.births[chosen]),
            }
        )
    return result


def _events(world: World, day: date) -> Columns:
    units = Units(world, day)
    rng = world.rng(DOMAIN, "events", day)
    expected = units.activity.sum() * SESSIONS_A_DAY * world.depth * demand(world, DOMAIN + "/use", day)
    unit = weighted(rng, units.activity, rng.poisson(expected))
    start = seconds_of_day(rng, len(unit))
    size = 1 + rng.poisson(2.5, len(unit))
    session = np.repeat(np.arange(len(unit)), size)
    first = np.zeros(len(session), dtype=bool)
    first[np.cumsum(size) - size] = True
    kind = np.where(first, 0, 1 + weighted(rng, np.array([0.55, 0.30, 0.07, 0.08]), len(session)))
    lasting = np.where(first, 0, 5 + rng.exponential(60.0, len(session)).astype(np.int64))
    elapsed = np.cumsum(lasting)
    begun = (np.cumsum(size) - size)[session]
    second = (start[session] + elapsed - (elapsed[begun] if len(begun) else 0)).clip(0, 86_399)
    order = np.argsort(second, kind="stable")
    digits = int(f"{day:%Y%m%d}")
    return {
        "event_id": digits * 10**9 + 1 + np.arange(len(session)),
        "unit": unit[session[order]] + 1,
        "session": digits * 10**8 + 1 + session[order],
        "event_name": choice(EVENTS, kind[order]),
        "occurred": days_since_epoch(day) * 86_400 + second[order],
        "platform": choice(PLATFORMS, weighted(rng, np.array([0.4, 0.35, 0.25]), len(unit))[session[order]]),
        "duration_seconds": lasting[order].clip(0, 86_400),
    }
