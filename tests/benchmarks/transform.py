"""Bronze to gold of e-commerce: compared with hand-written SQL for the same tables, and one more day, on this history
and on one that is ten times as long.

Bronze is filled by DuckDB itself, so that nothing but the transformation is measured; each side runs in a process of
its own, whose peak memory is reported beside its seconds. Landing, checks and snapshots are other measurements.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from ops_project import catalog
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

BY_HAND = Path(__file__).parent / "ecommerce_sql"
BY_HAND_BOUND = 1.3
DAY_BOUND = 1.3
MEMORY_BOUND_MB = 4096
# The limit of DuckDB's own buffers. Python, dbt and the allocator need the rest of the 4 GB.
MEMORY_LIMIT = "3GB"
QUIET = "SET preserve_insertion_order = false; SET enable_progress_bar = false"
LAST = date(2026, 3, 31)
AS_OF = datetime(2026, 4, 1, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Size:
    """The size of the shop: rows of a day, and number of days."""

    days: int
    orders: int
    events: int
    customers: int
    products: int


LARGE = Size(days=10, orders=200_000, events=2_000_000, customers=100_000, products=5_000)
SMALL = Size(days=10, orders=10_000, events=100_000, customers=20_000, products=2_000)
DAILY = Size(days=30, orders=1_500, events=15_000, customers=10_000, products=1_000)


def measure(rounds: int, large: bool) -> dict[str, object]:
    """The ratio to hand-written SQL and the growth of the increment, each with its seconds and whether it is within its
    bound.
    """
    dbt_manifest.load()  # The project is parsed once for each content; the parse is not part of any build.
    with tempfile.TemporaryDirectory(prefix="bench-transform-") as folder:
        return {
            "by_hand": _against_hand(Path(folder) / "hand", LARGE if large else SMALL, rounds, large),
            "one_more_day": _one_more_day(Path(folder) / "day", rounds),
        }


def _against_hand(folder: Path, size: Size, rounds: int, large: bool) -> dict[str, object]:
    """The bound is for the large size. At the small size dbt's fixed costs, which are reported too, are half of the
    time.
    """
    bronze = _home(folder / "bronze", size)
    found = []
    for number in range(rounds):
        dbt_home, hand_home = folder / f"dbt-{number}", folder / f"hand-{number}"
        shutil.copytree(bronze, dbt_home)
        shutil.copytree(bronze, hand_home)
        built = _in_child(_by_dbt, dbt_home, "run")
        fixed_s, _ = _in_child(_by_dbt, dbt_home, "run", 1)  # no file has arrived since
        found.append((*built, *_in_child(_by_hand, hand_home), fixed_s))
        shutil.rmtree(dbt_home)
        shutil.rmtree(hand_home)
    dbt_s, dbt_mb, hand_s, hand_mb, fixed_s = (statistics.median(column) for column in zip(*found, strict=True))
    return {
        "web_events": size.days * size.events,
        "order_items": size.days * size.orders * 5 // 2,
        "dbt_s": round(dbt_s, 2),
        "by_hand_s": round(hand_s, 2),
        "fixed_s": round(fixed_s, 2),
        "ratio": round(dbt_s / hand_s, 2),
        "bound": BY_HAND_BOUND,
        "within_bound": dbt_s / hand_s <= BY_HAND_BOUND if large else None,
        "dbt_peak_mb": round(dbt_mb),
        "by_hand_peak_mb": round(hand_mb),
        "peak_within_bound": dbt_mb <= MEMORY_BOUND_MB,
    }


def _one_more_day(folder: Path, rounds: int) -> dict[str, object]:
    homes = {factor: _home(folder / str(factor), DAILY, factor) for factor in (1, 10)}
    for home in homes.values():
        _in_child(_by_dbt, home, "run")
    seconds: dict[int, list[float]] = {1: [], 10: []}
    for number in range(1, max(rounds, 3) + 1):
        for factor, home in homes.items():
            with duckdb.connect(str(Settings.load(home=home, environ={}).warehouse)) as connection:
                _day(connection, LAST + timedelta(days=number), DAILY)
            seconds[factor].append(_in_child(_by_dbt, home, "build", number)[0])
    once, ten = statistics.median(seconds[1]), statistics.median(seconds[10])
    return {
        "days_1x": DAILY.days,
        "days_10x": 10 * DAILY.days,
        "seconds_1x": round(once, 2),
        "seconds_10x": round(ten, 2),
        "ratio": round(ten / once, 2),
        "bound": DAY_BOUND,
        "within_bound": ten / once <= DAY_BOUND,
    }


def _in_child(function: Callable[..., tuple[float, float]], *arguments: object) -> tuple[float, float]:
    """(seconds, peak MB) of `function` in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _by_dbt(home: Path, command: str, later: int = 0) -> tuple[float, float]:
    settings = Settings.load(home=home, environ={})
    manifest = dbt_manifest.load()
    started = time.perf_counter()
    with settings.exported():
        invocation = dbt_runner.build(
            manifest,
            settings,
            select=["tag:ecommerce"],
            as_of=AS_OF + timedelta(days=later),
            command=command,
            memory_limit=MEMORY_LIMIT,
        )
        for _ in invocation:
            pass
    seconds = time.perf_counter() - started
    if invocation.result.exception or invocation.result.errors or invocation.result.failed_tests:
        raise RuntimeError(f"the build failed: {invocation.result}")
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _by_hand(home: Path) -> tuple[float, float]:
    clock = {"as_of": AS_OF.replace(tzinfo=None), "as_of_date": AS_OF.date()}
    started = time.perf_counter()
    with duckdb.connect(str(Settings.load(home=home, environ={}).warehouse)) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; {QUIET}")
        connection.execute("CREATE SCHEMA silver; CREATE SCHEMA gold")
        for file in sorted(BY_HAND.glob("*.sql")):
            sql = file.read_text(encoding="utf-8")
            connection.execute(sql, {name: value for name, value in clock.items() if f"${name}::" in sql})
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _home(home: Path, size: Size, factor: int = 1) -> Path:
    settings = Settings.load(home=home, environ={})
    settings.warehouse.parent.mkdir(parents=True)
    days = size.days * factor
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; {QUIET}")
        ensure_tables(connection, catalog.load(settings).feeds_of("ecommerce"))
        for number in range(days):
            _day(connection, LAST - timedelta(days=days - 1 - number), size)
    return home


def _day(connection: duckdb.DuckDBPyConnection, day: date, size: Size) -> None:
    """One batch of each feed, as landing leaves it."""
    number, digits = day.toordinal(), f"{day:%Y%m%d}"
    customer = f"'C' || lpad((hash({{key}}, {number}) % {size.customers})::VARCHAR, 7, '0')"
    product = f"'P' || lpad((hash({{key}}, {number}, 2) % {size.products})::VARCHAR, 6, '0')"
    rows = {
        "customers": (
            size.customers,
            f"""
            'C' || lpad(i::VARCHAR, 7, '0') AS customer_id, 'First' || i % 97 AS first_name, 'Last' || i % 89 AS last_name,
            'c' || i || '@example.com' AS email, 'US' AS country, DATE '2020-01-01' + (i % 1000)::INTEGER AS signup_date,
            'City' || (i * 7 + (hash(i, {number} // 30) % 10 = 0)::INTEGER) % 50 AS city, 'gold' AS loyalty_tier""",
        ),
        "products": (
            size.products,
            """
            'P' || lpad(i::VARCHAR, 6, '0') AS product_id, 'Product ' || i AS product_name, 'Cat' || i % 8 AS category,
            (5 + i % 90)::DECIMAL(12, 2) AS list_price, (2 + i % 40)::DECIMAL(12, 2) AS unit_cost, true AS is_active""",
        ),
        "orders": (
            size.orders,
            f"""
            '{digits}' || lpad(i::VARCHAR, 8, '0') AS order_id, DATE '{day}' AS order_date,
            CASE WHEN i % 20 > 0 THEN {customer.format(key="i")} END AS customer_id,
            TIMESTAMP '{day}' + to_seconds(i * 86399 // {size.orders}) AS ordered_at,
            CASE WHEN hash(i, {number}, 1) % 20 = 0 THEN 'cancelled' ELSE 'delivered' END AS status,
            'web' AS channel, 'US' AS country, 'USD' AS currency, 'card' AS payment_method""",
        ),
        "order_items": (
            size.orders * 5 // 2,
            f"""
            '{digits}' || lpad((i // 5 * 2 + (i % 5 > 2)::INTEGER)::VARCHAR, 8, '0') AS order_id,
            (i % 5 - 3 * (i % 5 > 2)::INTEGER + 1)::INTEGER AS line_number, DATE '{day}' AS order_date,
            {product.format(key="i")} AS product_id, (1 + i % 3)::INTEGER AS quantity,
            (5 + i % 90)::DECIMAL(12, 4) AS unit_price, (i % 2)::DECIMAL(12, 2) AS discount_amount""",
        ),
        "web_events": (
            size.events,
            f"""
            {digits}0000000000 + i AS event_id, DATE '{day}' AS event_date,
            TIMESTAMP '{day}' + to_seconds(i * 86399 // {size.events}) AS occurred_at,
            'S{digits}' || lpad((i // 6)::VARCHAR, 8, '0') AS session_id,
            CASE WHEN i // 6 % 10 < 6 THEN {customer.format(key="i // 6")} END AS customer_id,
            CASE WHEN i % 3 > 0 THEN {product.format(key="i")} END AS product_id,
            ['page_view', 'product_view', 'add_to_cart'][(1 + i % 3)::INTEGER] AS event_type,
            'mobile' AS device, 'search' AS source, '/p/' || i % 1000 AS page_url""",
        ),
    }
    for feed, (count, columns) in rows.items():
        (load_seq,) = connection.execute("SELECT coalesce(max(load_seq), 0) + 1 FROM ops.touched_dates").fetchone() or (
            1,
        )
        connection.execute(
            f"INSERT INTO bronze.{feed} BY NAME SELECT {columns}, DATE '{day}' AS business_date, i + 1 AS _line,"
            f" '{feed}-{day}' AS _batch_id, {load_seq} AS _load_seq, TIMESTAMP '{day}' AS ingestion_timestamp"
            f" FROM range({count}) AS rows (i)"
        )
        connection.execute("INSERT INTO ops.touched_dates VALUES (?, ?, ?)", [feed, day, load_seq])
