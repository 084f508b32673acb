"""Six ways in which a file can fail to arrive properly are distinguished, each with its remedy."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from asset_checks.primitives import arrival
from asset_checks.specs import TableSpec
from tests.asset_checks.warehouse import NOW, Warehouse

TABLE = TableSpec(schema="bronze", table="orders", feed="orders")
DAY = date(2026, 3, 9)
SEVERITY = {
    "source_missing": "high",
    "source_late": "medium",
    "source_empty": "high",
    "source_partial": "high",
    "source_duplicate": "low",
    "schema_mismatch": "high",
    "data_invalid": "high",
}


@pytest.mark.parametrize("kind", list(SEVERITY))
def test_each_finding_is_told_apart_with_date_file_and_advice(kind: str) -> None:
    warehouse = Warehouse()
    warehouse.finding(kind, "orders", DAY)
    verdict = arrival.evaluate(warehouse.situation(), TABLE)
    assert (verdict.status, verdict.failure_class, verdict.severity) == ("failed", kind, SEVERITY[kind])
    assert verdict.evidence["kinds"] == [kind]
    assert verdict.evidence["dates"] == ["2026-03-09"]
    assert verdict.evidence["files"] == ["orders_2026-03-09.csv"]
    [finding] = verdict.evidence["findings"]
    assert finding["what_to_do"] == arrival.ADVICE[kind]
    assert arrival.ADVICE[kind] in verdict.message


def test_every_kind_has_its_own_advice() -> None:
    assert len(set(arrival.ADVICE.values())) == len(arrival.ADVICE) == 7


def test_of_several_the_first_in_precedence_names_the_failure_and_the_worst_its_severity() -> None:
    warehouse = Warehouse()
    warehouse.finding("source_late", "orders", DAY)
    warehouse.finding("source_duplicate", "orders", DAY - timedelta(days=1))
    verdict = arrival.evaluate(warehouse.situation(), TABLE)
    assert verdict.failure_class == "source_duplicate"
    assert verdict.severity == "medium"
    assert verdict.evidence["open_findings"] == 2


def test_resolved_findings_other_feeds_and_the_future_do_not_count() -> None:
    warehouse = Warehouse()
    warehouse.batch("orders", DAY, rows_in=5)
    warehouse.finding("source_missing", "orders", DAY, state="resolved")
    warehouse.finding("source_missing", "customers", DAY)
    warehouse.finding("source_missing", "orders", DAY, observed_at=NOW + timedelta(hours=1))
    assert arrival.evaluate(warehouse.situation(), TABLE).status == "ok"


def test_bad_rows_in_a_file_that_was_loaded_are_no_matter_of_arrival() -> None:
    warehouse = Warehouse()
    loaded = warehouse.batch("orders", DAY, rows_in=5, quarantined=1)
    warehouse.finding("data_invalid", "orders", DAY, batch_id=loaded)
    assert arrival.evaluate(warehouse.situation(), TABLE).status == "ok"
    rejected = warehouse.batch("orders", DAY, rows_in=0, status="rejected")
    warehouse.finding("data_invalid", "orders", DAY, batch_id=rejected)
    assert arrival.evaluate(warehouse.situation(), TABLE).failure_class == "data_invalid"


def test_a_feed_that_never_delivered_is_unknown_not_fine() -> None:
    verdict = arrival.evaluate(Warehouse().situation(), TABLE)
    assert verdict.status == "unknown"
    assert verdict.passed
