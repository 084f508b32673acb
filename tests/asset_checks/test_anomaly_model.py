"""Unusual days are found, and false alarms are rare: gold.data_anomalies, built by dbt over thousands of simulated
series. One table holds many independent series end to end. With `anomaly_history` as long as a series' history, the
last day of each series is judged only against its own past. The series are seeded, so that each run gives the same
figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

START = date(1900, 1, 1)
NOISE = 0.05
WEEK = np.array([1.0, 1.05, 1.1, 1.0, 1.2, 1.5, 0.6])


@dataclass(frozen=True)
class Rates:
    """Share of the last days that were called anomalous: of those that dropped by 30 %, and of the normal ones."""

    found: float
    false_alarms: float


def judged(home: Path, orders: np.ndarray, revenue: np.ndarray, history: int) -> list[str]:
    """The model's status of each day of a series; day 0 is a Monday."""
    settings = Settings.load(home=home, environ={})
    settings.warehouse.parent.mkdir(parents=True)
    days = [START + timedelta(days=index) for index in range(len(orders))]
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, [])
        connection.execute("create schema gold; create schema silver")
        frame = {  # noqa: F841 – DuckDB reads it by its name
            "order_date": np.array(days, dtype="datetime64[s]"),
            "total_orders": np.rint(orders).astype("int64"),
            "gross_revenue": np.round(revenue, 2),
        }
        connection.execute(
            "create table gold.daily_revenue as select order_date::date as order_date, total_orders,"
            " gross_revenue::decimal(18, 4) as gross_revenue from frame"
        )
        connection.execute(
            "create table silver.int_delivered_days as select order_date as business_date, true as is_delivered,"
            " true as is_complete from gold.daily_revenue"
        )
    with settings.exported():
        invocation = dbt_runner.build(
            dbt_manifest.load(),
            settings,
            select=["data_anomalies"],
            as_of=datetime(2026, 3, 10, tzinfo=UTC),
            command="run",
            extra_vars={"anomaly_history": history},
        )
        for _ in invocation:
            pass
    assert not invocation.result.errors, invocation.result.errors
    assert invocation.result.exception is None
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        rows = connection.execute("select status from gold.data_anomalies order by order_date").fetchall()
    return [row[0] for row in rows]


def rates(home: Path, points: int, series: int, *, weekly: bool, both: bool) -> Rates:
    """`both`: orders and revenue drop together. Otherwise only revenue drops."""
    rng = np.random.default_rng(160)
    length = points + 1
    day = np.arange(series * length)
    level = WEEK[day % 7] if weekly else np.ones(len(day))
    orders = 10_000 * level * (1 + NOISE * rng.standard_normal(len(day)))
    revenue = 500_000 * level * (1 + NOISE * rng.standard_normal(len(day)))
    last = np.arange(length - 1, len(day), length)
    dropped = last[::2]
    revenue[dropped] *= 0.7
    if both:
        orders[dropped] *= 0.7
    status = np.array(judged(home, orders, revenue, points)) == "Anomaly Detected"
    return Rates(float(status[dropped].mean()), float(status[last[1::2]].mean()))


@pytest.mark.parametrize(
    ("points", "series", "weekly", "both"),
    [(8, 4000, False, False), (28, 1000, True, True)],
    ids=["8 days, revenue alone", "4 weeks with weekdays, both"],
)
def test_drops_are_found_and_normal_days_are_not(
    tmp_path: Path, points: int, series: int, weekly: bool, both: bool
) -> None:
    measured = rates(tmp_path, points, series, weekly=weekly, both=both)
    assert measured.found >= 0.90
    # The limit is 1.5 %. With one false alarm in ten thousand days, two in these 500 may happen by chance.
    assert measured.false_alarms <= 2 / 500


def test_a_constant_series_is_no_blind_spot_and_few_points_are_unknown(tmp_path: Path) -> None:
    orders, revenue = np.full(12, 100.0), np.full(12, 5000.0)
    revenue[10] = 3500.0
    status = judged(tmp_path, orders, revenue, 56)
    assert status[:8] == ["Insufficient History"] * 8
    assert status[8:11] == ["Normal", "Normal", "Anomaly Detected"]
