"""The check for unusual days: it reads the verdicts of the model and computes none of its own."""

from __future__ import annotations

from datetime import date, timedelta

from asset_checks.primitives import anomalies
from asset_checks.specs import AnomalySeries, TableSpec
from tests.asset_checks.warehouse import NOW, Warehouse

TODAY = date(2026, 3, 10)
TABLE = TableSpec(
    schema="gold",
    table="data_anomalies",
    feeds=("orders",),
    anomalies=AnomalySeries("order_date", unknown=("Unknown",), evidence_columns=("order_count", "orders_z_score")),
)


def verdicts(status_by_age: dict[int, str]) -> Warehouse:
    warehouse = Warehouse()
    warehouse.table(
        "gold.data_anomalies",
        [
            {"order_date": TODAY - timedelta(days=age), "status": status, "order_count": 10, "orders_z_score": -4.5}
            for age, status in status_by_age.items()
        ],
    )
    return warehouse


def test_an_anomaly_of_yesterday_fails_and_the_last_seven_days_are_listed() -> None:
    warehouse = verdicts({1: "Anomaly Detected", 2: "Normal", 7: "Anomaly Detected", 8: "Anomaly Detected"})
    verdict = anomalies.evaluate(warehouse.situation(), TABLE)
    assert (verdict.status, verdict.severity, verdict.failure_class) == ("failed", "medium", "value_anomaly")
    assert verdict.evidence["dates"] == ["2026-03-09"]
    assert [line["date"] for line in verdict.evidence["anomalies"]] == ["2026-03-09", "2026-03-03"]
    assert verdict.evidence["anomalies"][0]["orders_z_score"] == -4.5


def test_an_older_anomaly_is_listed_and_alerts_again_only_when_its_date_was_just_loaded() -> None:
    warehouse = verdicts({1: "Normal", 4: "Anomaly Detected"})
    verdict = anomalies.evaluate(warehouse.situation(), TABLE)
    assert verdict.status == "ok"
    assert len(verdict.evidence["anomalies"]) == 1
    warehouse.batch("orders", TODAY - timedelta(days=4), rows_in=3, loaded_at=NOW - timedelta(hours=1))
    assert anomalies.evaluate(warehouse.situation(), TABLE).status == "failed"


def test_what_could_not_be_judged_is_unknown() -> None:
    verdict = anomalies.evaluate(verdicts({1: "Unknown", 2: "Unknown"}).situation(), TABLE)
    assert (verdict.status, verdict.evidence["judged"]) == ("unknown", 0)
