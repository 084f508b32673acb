"""For each query of a first response or a runbook: a story that puts its fault into a home. Each story adds the fault
as landing, dbt or training would leave it, beside rows that must not appear: another feed's rows, a batch that was
replaced, a day without a fault. It returns the words that the query must show, and the words that it must not show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

NOON = datetime.fromisoformat("2026-03-04 12:00:00")


DAY = date(2026, 3, 3)


@dataclass
class Home:
    """The warehouse of the story. Its changes are undone afterwards."""

    connection: duckdb.DuckDBPyConnection
    batches: int = 0

    def put(self, table: str, **values: Any) -> None:
        """One row. Columns that are not named are NULL."""
        names = ", ".join(f'? as "{name}"' for name in values)
        self.connection.execute(f"insert into {table} by name select {names}", list(values.values()))

    def batch(self, feed: str, domain: str, loaded: int, status: str = "loaded", **more: Any) -> str:
        """A file as a row of the journal. Returns its batch id."""
        self.batches += 1
        quarantined = more.pop("rows_quarantined", 0)
        values = {
            "batch_id": f"b{self.batches}",
            "feed": feed,
            "domain": domain,
            "file_name": f"{feed}_{self.batches}.csv",
            "sha256": f"hash{self.batches}",
            "size_bytes": 1,
            "arrived_at": NOON + timedelta(minutes=self.batches),
            "business_date": DAY,
            "load_seq": self.batches,
            "status": status,
            "rows_in": loaded + quarantined,
            "rows_loaded": loaded,
            "rows_quarantined": quarantined,
            "rows_filtered": 0,
            "rows_collapsed": 0,
            "loaded_at": NOON + timedelta(minutes=self.batches),
        }
        self.put("ops.batches", **(values | more))
        return str(values["batch_id"])

    def refuse(self, feed: str, domain: str, reason: str, rows: int = 1, column: str = "amount") -> None:
        """Add a file of which some rows were refused."""
        batch = self.batch(feed, domain, 10, rows_quarantined=rows)
        for line in range(1, rows + 1):
            self.put(
                "ops.quarantine",
                batch_id=batch,
                feed=feed,
                file_name=f"{feed}_{self.batches}.csv",
                line=line,
                column_name=column,
                reason=reason,
                kind=reason,
                rows=1,
            )

    def old_and_new_refusals(self, feed: str, domain: str) -> None:
        """So many old refused rows that a query with a limit and no order would show only these rows."""
        self.refuse(feed, domain, "refused long ago", rows=60)
        self.refuse(feed, domain, "refused today", column="price")


def refused_rows(feed: str, domain: str, other: tuple[str, str]) -> Callable[[Home], tuple[list[str], list[str]]]:
    def story(home: Home) -> tuple[list[str], list[str]]:
        home.old_and_new_refusals(feed, domain)
        home.refuse(*other, "of another feed")
        return ["refused today"], ["of another feed"]

    return story


def replaced_batch(feed: str, domain: str, other: tuple[str, str]) -> Callable[[Home], tuple[list[str], list[str]]]:
    """A day that was delivered twice. Only the valid batch counts."""

    def story(home: Home) -> tuple[list[str], list[str]]:
        home.batch(feed, domain, 532, status="replaced")
        home.batch(feed, domain, 372)
        home.batch(*other, 7777)
        return ["372"], ["904", "532", "7777"]

    return story


def archived(home: Home) -> tuple[list[str], list[str]]:
    """The paths of the feed's archived files, and their hashes."""
    home.batch("orders", "ecommerce", 5, archive_path="ecommerce/orders/2026-03-03/hash1_orders_1.csv")
    home.batch("policies", "insurance", 5, archive_path="insurance/policies/2026-03-03/hash2_policies_2.csv")
    return ["ecommerce/orders/2026-03-03/hash1_orders_1.csv", "hash1"], ["hash2"]


def journal(feed: str, domain: str, other: tuple[str, str]) -> Callable[[Home], tuple[list[str], list[str]]]:
    """The newest files of the domain are listed, even if there are many earlier ones."""

    def story(home: Home) -> tuple[list[str], list[str]]:
        for _ in range(40):
            home.batch(feed, domain, 1)
        home.batch(feed, domain, 0, status="rejected", rows_quarantined=5, message="holds what its contract refuses")
        home.batch(*other, 7777)
        return ["rejected"], ["7777"]

    return story


def duplicate(home: Home) -> tuple[list[str], list[str]]:
    home.batch("orders", "ecommerce", 10, sha256="same", file_name="first.csv")
    for _ in range(10):
        home.batch("orders", "ecommerce", 10)
    home.batch(
        "orders", "ecommerce", 0, status="duplicate", sha256="same", file_name="again.csv", finding="source_duplicate"
    )
    return ["first.csv", "again.csv"], ["orders_5.csv"]


def finding(home: Home) -> tuple[list[str], list[str]]:
    common = {"kind": "source_late", "business_date": DAY, "observed_at": NOON}
    home.put("ops.findings", finding_id="1", feed="orders", message="is late", state="open", **common)
    home.put("ops.findings", finding_id="2", feed="orders", message="was late", state="resolved", **common)
    home.put("ops.findings", finding_id="3", feed="policies", message="of another feed", state="open", **common)
    return ["is late"], ["was late", "of another feed"]


def repeated_key(home: Home) -> tuple[list[str], list[str]]:
    for line, who in enumerate(("ann", "bob"), start=1):
        home.put("bronze.orders", order_id="O1", customer_id=who, business_date=DAY, _line=line)
    home.put("bronze.orders", order_id="O2", customer_id="eve", business_date=DAY, _line=3)
    return ["ann", "bob"], ["eve"]


def score(home: Home) -> tuple[list[str], list[str]]:
    for table, value in (("daily_revenue", 61.5), ("customer_360", 12.25)):
        home.put("ops.quality_scores", table_schema="gold", table_name=table, as_of=NOON, score=value)
    return ["61.5"], ["12.25"]


def row(table: str, shown: str, **values: Any) -> Callable[[Home], tuple[list[str], list[str]]]:
    """The fault is a row of a table that the query reads."""

    def story(home: Home) -> tuple[list[str], list[str]]:
        home.put(table, **values)
        return [shown], []

    return story


def two_rows(
    table: str, shown: str, hidden: str, fault: dict[str, Any], fine: dict[str, Any]
) -> Callable[[Home], tuple[list[str], list[str]]]:
    def story(home: Home) -> tuple[list[str], list[str]]:
        home.put(table, **fault)
        home.put(table, **fine)
        return [shown], [hidden]

    return story


def reading(home: Home) -> tuple[list[str], list[str]]:
    home.put(
        "ops.model_health",
        model="churn",
        as_of=NOON,
        run_id="r",
        metric="input_drift",
        value=0.4,
        status="failed",
        detail="views_14 has moved",
    )
    return ["input_drift", "failed"], []


def training(home: Home) -> tuple[list[str], list[str]]:
    home.put(
        "ops.model_trainings",
        model="churn",
        as_of=NOON,
        run_id="r",
        promoted=False,
        reason="not_better",
        message="no better",
        code_version="1",
        metrics="{}",
        facts="{}",
    )
    return ["not_better"], []


def late_version(home: Home) -> tuple[list[str], list[str]]:
    """A transaction that a file of three days later brought, beside one that came in time."""
    for amount, known in ((4711, date(2026, 3, 3)), (17, date(2026, 2, 28))):
        batch = home.batch("transactions", "investor", 1, business_date=known)
        home.put(
            "bronze.transactions",
            transaction_id=amount,
            quantity=1,
            unit_revenue=amount,
            unit_cost=1,
            status="completed",
            business_date=date(2026, 2, 27),
            _batch_id=batch,
            _load_seq=home.batches,
            _line=1,
        )
    return ["4711"], ["17.0"]


def freshness(home: Home) -> tuple[list[str], list[str]]:
    """A feed whose newest file came days ago."""
    for day in (date(2026, 2, 26), date(2026, 2, 27)):
        home.batch("transactions", "investor", 10, business_date=day)
    home.batch("transactions", "investor", 0, status="rejected", business_date=date(2026, 3, 2), rows_quarantined=1)
    home.batch("policies", "insurance", 10)
    return ["transactions", "2026-02-27"], ["2026-03-02", "policies"]


def unknown_song(home: Home) -> tuple[list[str], list[str]]:
    home.put(
        "bronze.streams",
        stream_id=1,
        user_id="U1",
        song_id="S404",
        listened_at=NOON,
        business_date=DAY,
        _load_seq=1,
        _line=1,
    )
    return ["S404"], []


def newest_file(home: Home) -> tuple[list[str], list[str]]:
    for _ in range(3):
        home.batch("orders", "ecommerce", 1)
    return ["'3'", "2026-03-04 12:03"], []


INSURANCE, ORDERS = ("policies", "insurance"), ("orders", "ecommerce")


STREAM_DAY = {"business_date": DAY, "clock": "event"}


# (file, how many queries of it came before) → the story
STORIES: dict[tuple[str, int], Callable[[Home], tuple[list[str], list[str]]]] = {
    ("rules", 0): duplicate,
    ("rules", 1): refused_rows(*ORDERS, INSURANCE),
    ("rules", 2): repeated_key,
    ("rules", 3): replaced_batch(*ORDERS, INSURANCE),
    ("anomaly", 0): replaced_batch(*ORDERS, INSURANCE),
    ("business-metric", 0): row(
        "gold.customer_churn_predictions",
        "High",
        customer_id="C1",
        churn_probability=0.9,
        churn_risk="High",
        reasons="",
        horizon_days=14,
        data_date=DAY,
        model_version="1",
        predicted_at=NOON,
    ),
    ("data-quality", 0): refused_rows(*ORDERS, INSURANCE),
    ("data-quality", 1): score,
    ("ecommerce-pipeline", 0): refused_rows(*ORDERS, INSURANCE),
    ("ecommerce-pipeline", 1): journal(*ORDERS, INSURANCE),
    ("ecommerce-pipeline", 2): row(
        "silver.rec_unconverted_orders", "JPY", currency="JPY", orders=3, first_date=DAY, last_date=DAY
    ),
    ("engagement-aggregate-investors", 0): row(
        "silver.rec_engagement_days", "Anomaly Detected", business_date=DAY, status="Anomaly Detected"
    ),
    ("engagement-aggregate-investors", 1): row(
        "gold.kpi_aggregate_engagement", "27", period_type="month", period_start=date(2026, 2, 1), days_delivered=27
    ),
    ("growth-aggregate-investors", 0): row(
        "gold.kpi_aggregate_growth", "27", period_type="month", period_start=date(2026, 2, 1), days_delivered=27
    ),
    ("growth-aggregate-investors", 1): row("silver.fact_transactions", "2026-03-03", business_date=DAY),
    ("growth-daily-experiments", 0): row(
        "gold.kpi_experiment_daily_growth", "E7", experiment_id="E7", arm="control", business_date=DAY
    ),
    ("growth-daily-experiments", 1): journal("transactions", "investor", INSURANCE),
    ("insurance-pipeline", 0): row(
        "silver.rec_policy_sequence_gaps", "4711", first_missing_seq=4711, last_missing_seq=4712, missing_changes=2
    ),
    ("insurance-pipeline", 1): refused_rows(*INSURANCE, ORDERS),
    ("insurance-pipeline", 2): journal(*INSURANCE, ORDERS),
    ("investor-pipeline", 0): freshness,
    ("investor-pipeline", 1): row("silver.int_investor_days", "2026-03-03", business_date=DAY, has_spend=False),
    ("investor-pipeline", 2): two_rows(
        "gold.rec_restatements",
        "revenue",
        "profit",
        {"metric": "revenue", "period_type": "month", "period_start": DAY, "is_beyond_tolerance": True},
        {"metric": "profit", "period_type": "month", "period_start": DAY, "is_beyond_tolerance": False},
    ),
    ("investor-pipeline", 3): refused_rows("transactions", "investor", INSURANCE),
    ("models", 0): reading,
    ("models", 1): training,
    ("models", 2): row("silver.int_customer_days", "2026-03-03", customer_id="C1", business_date=DAY, product_views=3),
    ("profit-aggregate-investors", 0): row(
        "gold.kpi_aggregate_profit", "27", period_type="month", period_start=date(2026, 2, 1), days_delivered=27
    ),
    ("profit-aggregate-investors", 1): two_rows(
        "silver.int_investor_days",
        "2026-03-03",
        "2026-03-02",
        {"business_date": DAY, "has_transactions": True, "has_spend": False},
        {"business_date": date(2026, 3, 2), "has_transactions": True, "has_spend": True},
    ),
    ("profit-aggregate-investors", 2): late_version,
    ("warehouse-lost", 0): newest_file,
    ("profit-unit-experiments", 0): row(
        "gold.kpi_experiment_unit_profit", "invalid", experiment_id="E7", arm="control", verdict="invalid"
    ),
    ("profit-unit-experiments", 1): row(
        "bronze.experiment_assignments", "E7", experiment_id="E7", arm="control", unit_id="U", business_date=DAY
    ),
    ("profit-unit-experiments", 2): row(
        "silver.rec_experiment_arms", "U99", experiment_id="E7", units_in_both_arms=3, example_unit="U99"
    ),
    ("profit-unit-experiments", 3): row(
        "silver.rec_transaction_units", "U99", business_date=DAY, unknown_units=30, example_unit="U99"
    ),
    ("archive-damaged", 0): archived,
    ("schema-mismatch", 0): finding,
    ("schema-mismatch", 1): journal(*ORDERS, INSURANCE),
    ("key-violation", 0): refused_rows(*ORDERS, INSURANCE),
    ("key-violation", 1): refused_rows(*ORDERS, INSURANCE),
    ("key-violation", 2): finding,
    ("interface-load", 0): journal("mart_contacts", "marketing", INSURANCE),
    ("mart-build", 0): journal(*ORDERS, INSURANCE),
    ("slow-pipeline", 0): replaced_batch(*ORDERS, INSURANCE),
    ("source-arrival", 0): finding,
    ("streaming-pipeline", 0): two_rows(
        "silver.rec_stream_validation",
        "2026-03-03",
        "2026-03-02",
        {"business_date": DAY, "clock": "event", "is_error_rate_within": False, "is_reference_within": True},
        {
            "business_date": date(2026, 3, 2),
            "clock": "event",
            "is_error_rate_within": True,
            "is_reference_within": True,
        },
    ),
    ("streaming-pipeline", 1): unknown_song,
    ("streaming-pipeline", 2): refused_rows("streams", "streaming", INSURANCE),
    ("streaming-pipeline", 3): row("bronze.streams", "2026-03-04", stream_id=1, listened_at=NOON, business_date=DAY),
    ("streaming-pipeline", 4): journal("streams", "streaming", INSURANCE),
}
