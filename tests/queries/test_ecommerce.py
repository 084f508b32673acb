"""The eight operational queries, through the command, on a snapshot of real builds."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.pipeline.warehouse import connection as warehouse
from ops_project.pipeline.warehouse import snapshots
from ops_project.queries import QueryError, find, queries
from tests.dbt.shop import Shop, day, item, order

DAYS = 10


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days of which the last has lost most of its orders, two tables with a score, and a snapshot."""
    shop = Shop(tmp_path_factory.mktemp("queries"))
    shop.clock = datetime(2026, 1, 11, 5, tzinfo=UTC)
    shop.land_day(*range(DAYS - 1))
    shop.land("orders", day(DAYS - 1), [order(9000, 1)])
    shop.land("order_items", day(DAYS - 1), [item(9000, 1, 1)])
    shop.build()
    with shop.connect() as connection:
        connection.executemany(
            "insert into ops.quality_scores (table_schema, table_name, domain, as_of, run_id, score)"
            " values (?, ?, ?, ?, ?, ?)",
            [
                ("gold", "daily_revenue", "ecommerce", "2026-01-11 06:00:00", "r", 69.9),
                ("gold", "customer_metrics", "ecommerce", "2026-01-11 06:00:00", "r", 95.0),
                ("silver", "fact_orders", "ecommerce", "2026-01-11 06:00:00", "r", 85.0),
            ],
        )
    platform = catalog.load(shop.settings).platform
    with warehouse.writer(shop.settings, platform, owner="test", now=shop.clock) as open_warehouse:
        snapshots.take(open_warehouse, run_id="abcdef123456", as_of=shop.clock, commit="none")
    return shop.home


def ask(home: Path, *words: str, as_of: str = "2026-01-11T07:00:00+00:00") -> Any:
    result = CliRunner().invoke(cli, ["--home", str(home), "--as-of", as_of, "queries", *words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_all_eight_are_listed_with_what_they_tell(home: Path) -> None:
    listed = ask(home)
    assert [query["number"] for query in listed] == list(range(1, 9))
    assert all(query["title"] and query["tells"] for query in listed)


def test_all_eight_run(home: Path) -> None:
    answers = ask(home, "all")
    assert [answer["number"] for answer in answers] == list(range(1, 9))
    assert all(answer["columns"] for answer in answers)


@pytest.mark.parametrize(
    ("later", "status"), [(timedelta(), "⚠️ Warning"), (timedelta(hours=24), "❌ Critical")], ids=["fresh", "stale"]
)
def test_pipeline_health(home: Path, later: timedelta, status: str) -> None:
    moment = datetime(2026, 1, 11, 5, tzinfo=UTC) + later
    row = ask(home, "1", as_of=moment.isoformat())["rows"][0]
    assert row["status"] == status
    assert row["details"].endswith("1 low quality")


@pytest.mark.parametrize(
    ("hours", "status"), [(23, "✅ Fresh"), (24, "⚠️ Stale"), (47, "⚠️ Stale"), (48, "❌ Very stale")]
)
def test_freshness_edges_are_exact(home: Path, hours: int, status: str) -> None:
    moment = datetime(2026, 1, 11, 5, tzinfo=UTC) + timedelta(hours=hours)
    rows = {row["table_name"]: row for row in ask(home, "table_freshness", as_of=moment.isoformat())["rows"]}
    assert rows["Bronze - Customers"]["status"] == status
    assert rows["Bronze - Customers"]["hours_old"] == hours
    assert rows["Gold - Metrics"]["row_count"] == 6


def test_quality_by_layer_counts_what_is_unknown(home: Path) -> None:
    rows = {row["layer"]: row for row in ask(home, "3")["rows"]}
    assert rows["gold"]["tables_below_threshold"] == 1
    assert rows["gold"]["tables_without_score"] == 3
    assert rows["gold"]["status"] == "❌ Poor"
    assert rows["silver"]["status"] == "✅ Good"
    assert "bronze" not in rows or rows["bronze"]["status"] == "❔ Unknown"


def test_anomalies_follow_the_as_of_clock(home: Path) -> None:
    rows = ask(home, "4")["rows"]
    assert [row["order_date"] for row in rows] == ["2026-01-10"]
    assert rows[0]["orders_zscore"] < -2.674
    assert ask(home, "4", as_of="2026-01-20")["rows"] == []


def test_absent_models_are_unknown_and_no_number_is_made_up(home: Path) -> None:
    answer = ask(home, "5")
    assert {row["status"] for row in answer["rows"]} == {"❔ Unknown"}
    assert {row["predictions"] for row in answer["rows"]} == {None}
    assert answer["absent_tables"] == [
        "gold.customer_segments",
        "gold.customer_churn_predictions",
        "gold.product_recommendations",
    ]


def test_rows_by_layer(home: Path) -> None:
    rows = {row["layer"]: int(row["total_rows"]) for row in ask(home, "6")["rows"]}
    assert rows["Bronze Layer"] == (DAYS - 1) * (6 + 4 + 12 + 24 + 40) + 2
    assert rows["Gold Layer"] == 6 + 4 + DAYS


def test_critical_alerts(home: Path) -> None:
    rows = {row["alert_type"]: row for row in ask(home, "7")["rows"]}
    assert rows["Stale Tables"]["count"] == 0
    assert rows["Low Quality Tables"]["details"] == "gold.daily_revenue"
    assert rows["Recent Anomalies"]["count"] == 1
    assert rows["High Churn Risk"]["count"] is None
    late = {row["alert_type"]: row for row in ask(home, "7", as_of="2026-01-14")["rows"]}
    assert late["Stale Tables"]["details"] == "bronze.customers, bronze.orders"


def test_an_age_or_a_score_that_is_unknown_is_not_a_zero() -> None:
    with duckdb.connect() as connection:
        for statement in (
            "create schema bronze; create schema gold",
            "create table bronze.customers as select timestamp '2026-01-10 05:00' as ingestion_timestamp",
            "create table bronze.orders (ingestion_timestamp timestamp)",
            "create table gold.data_quality_metrics (layer text, table_name text, domain text, quality_score double)",
            "create table gold.data_anomalies (order_date date, status text)",
        ):
            connection.execute(statement)
        query = find("ecommerce", "critical_alerts").for_tables(set())

        def rows(at: datetime) -> dict[str, tuple[int | None, str]]:
            asked = connection.execute(query, {"as_of": at, "as_of_date": at.date()}).fetchall()
            return {name: (count, details) for name, _, count, details in asked}

        early = rows(datetime.fromisoformat("2026-01-11T05:00"))
        assert early["Stale Tables"] == (None, "unknown: never loaded: bronze.orders")
        assert early["Low Quality Tables"] == (None, "unknown: no scores yet")
        late = rows(datetime.fromisoformat("2026-01-14T05:00"))
        assert late["Stale Tables"] == (1, "bronze.customers; unknown: never loaded: bronze.orders")


def test_daily_summary(home: Path) -> None:
    row = ask(home, "8")["rows"][0]
    assert row["report_date"] == "2026-01-11"
    assert row["orders_ingested_today"] == row["orders_processed_today"] == (DAYS - 1) * 12 + 1
    assert row["anomalies_24h"] == 1
    assert row["overall_status"] == "⚠️ Issues detected"


REFUSED = (
    "insert into ops.batches by name select 'b1' as batch_id, 'orders' as feed, 'ecommerce' as domain, "
    "'orders.csv' as file_name, '' as sha256, 0 as size_bytes, now() as arrived_at, date '2026-01-10' as business_date, "
    "99 as load_seq, '{status}' as status, 0 as rows_in, 0 as rows_loaded, 0 as rows_quarantined, 0 as rows_filtered, "
    "0 as rows_collapsed, now() as loaded_at"
)
FINDING = (
    "insert into ops.findings by name select 'f1' as finding_id, 'source_partial' as kind, '{feed}' as feed, "
    "date '2026-01-10' as business_date, {batch} as batch_id, 'cut off' as message, '{state}' as state, now() as observed_at"
)


@pytest.mark.parametrize(
    ("batch", "feed", "state", "healthy", "words"),
    [
        ("rejected", "orders", "open", False, ", 1 file awaited"),
        (None, "orders", "open", False, ", 1 file awaited"),
        ("loaded", "orders", "open", False, ", 1 file doubted"),
        ("rejected", "orders", "resolved", True, "0 low quality"),
        (None, "streams", "open", True, "0 low quality"),
    ],
)
def test_what_is_open_about_a_file_is_not_healthy(
    home: Path, tmp_path: Path, batch: str | None, feed: str, state: str, healthy: bool, words: str
) -> None:
    copied = shutil.copytree(home, tmp_path / "home")
    [database] = (copied / "snapshots").glob("*/warehouse.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute("update ops.quality_scores set score = 90")
        if batch is not None:
            connection.execute(REFUSED.format(status=batch))
        connection.execute(FINDING.format(feed=feed, state=state, batch="'b1'" if batch else "null"))
    health = ask(copied, "1")["rows"][0]
    assert health["status"] == ("✅ Healthy" if healthy else "⚠️ Warning")
    assert health["details"].endswith(words)
    summary = ask(copied, "8")["rows"][0]["overall_status"]
    assert summary == ("✅ All checks passed" if healthy else "⚠️ Issues detected")


@pytest.mark.parametrize(("state", "status"), [("open", "⚠️ Issues detected"), ("resolved", "❔ Unknown")])
def test_a_finding_is_told_also_where_no_score_is_kept(home: Path, tmp_path: Path, state: str, status: str) -> None:
    copied = shutil.copytree(home, tmp_path / "home")
    [database] = (copied / "snapshots").glob("*/warehouse.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute("alter view gold.data_quality_metrics rename to scored")
        connection.execute("create table gold.data_quality_metrics as from gold.scored limit 0")
        connection.execute(FINDING.format(feed="orders", state=state, batch="null"))
    assert ask(copied, "8")["rows"][0]["overall_status"] == status


def test_predictions_are_read_once_they_exist() -> None:
    query = find("ecommerce", "model_health")
    assert query.for_tables(set(query.optional)) == query.sql
    assert "gold.customer_segments" not in query.for_tables(set())


def test_a_wrong_name_is_told_with_the_valid_ones(home: Path) -> None:
    with pytest.raises(QueryError, match="1 or pipeline_health"):
        find("ecommerce", "nine")
    with pytest.raises(QueryError, match="valid: ecommerce"):
        queries("nowhere")
    result = CliRunner().invoke(cli, ["--home", str(home), "queries", "nine"])
    assert result.exit_code == 2
