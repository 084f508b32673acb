"""Findings and metrics of snapshots, and an observer that breaks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from ops_project.defs.operations import snapshot_observer
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.model.finding import LOADED, WHOLE
from ops_project.operations.alerting.cycle import run_once
from ops_project.pipeline.landing import ensure_tables
from tests.operations.alerting.observers.place import NOW


def _snapshot(settings, number: int, statements: list[str]) -> None:
    folder = settings.snapshots / f"{number:06d}-abc"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA ops; CREATE SCHEMA gold")
        for statement in statements:
            if statement == FINDINGS:
                ensure_tables(connection, [])
            else:
                connection.execute(statement)
    (folder / "manifest.json").write_text(json.dumps({"as_of": NOW.isoformat(), "run_id": "r1", "tables": {}}))


FINDINGS = "landing's own tables"
LATE = "('f1', 'source_missing', 'orders', 'bronze.orders', DATE '2026-03-03', NULL, NULL, 'no file', NULL, '{}', TIMESTAMP '2026-03-04 14:00', {}, 'r1')"
CHURN = "CREATE TABLE gold.customer_churn_predictions AS SELECT 'High' AS churn_risk FROM range({})"


def test_findings_and_metrics_of_a_snapshot_are_read_once_and_a_resolved_finding_is_ok(place):
    _snapshot(
        place.settings,
        1,
        [FINDINGS, f"INSERT INTO ops.findings VALUES {LATE.format('open', 'NULL')}", CHURN.format(501)],
    )
    seen = {s.kind: s for s in place.look(snapshot_observer)}
    finding = seen["landing.finding"]
    assert (finding.state, finding.asset, finding.partition, finding.failure_class) == (
        FIRING,
        "bronze/orders",
        "2026-03-03",
        "source_missing",
    )
    assert finding.owners, "of a feed that the graph does not know, from its contract"
    assert seen["churn.high_risk_customers"].value == 501
    assert place.look(snapshot_observer) == []
    _snapshot(
        place.settings,
        2,
        [
            FINDINGS,
            f"INSERT INTO ops.findings VALUES {LATE.format('resolved', chr(39).join(['TIMESTAMP ', '2026-03-04 14:30', '']))}",
        ],
    )
    again = {s.kind: s for s in place.look(snapshot_observer, NOW + timedelta(hours=1))}
    assert again["landing.finding"].state == OK
    assert "churn.high_risk_customers" not in again, "its table is absent: unknown, not zero"


MOVED = '{"reordered": ["a"], "absent": []}'


@pytest.mark.parametrize(
    ("kind", "status", "quarantined", "evidence", "is_whole"),
    [
        ("schema_mismatch", "loaded", 0, [MOVED], True),
        ("schema_mismatch", "loaded", 1, [MOVED], False),
        ("schema_mismatch", "rejected", 0, [MOVED], False),
        ("source_late", "loaded", 0, [MOVED], False),
        # An optional column that was given another name is empty. Each table that needs the column is empty too.
        ("schema_mismatch", "loaded", 0, ['{"extra": ["Rebate"], "absent": ["rebate"]}'], False),
        ("schema_mismatch", "loaded", 0, ['{"encoding": "cp1252", "found": "utf-8"}'], False),
        ("schema_mismatch", "loaded", 0, ['{"encoding": "cp1252", "found": "utf-8"}', MOVED], False),
        ("schema_mismatch", "loaded", 0, [MOVED, MOVED], True),
    ],
)
def test_a_file_of_another_structure_that_was_loaded_whole_is_marked(
    place, kind, status, quarantined, evidence, is_whole
):
    loaded = "TIMESTAMP '2026-03-04 14:00'"
    batch = (
        f"INSERT INTO ops.batches BY NAME SELECT 'b1' AS batch_id, 'orders' AS feed, 'ecommerce' AS domain, 'o.csv' AS "
        f"file_name, '0' AS sha256, 99 AS size_bytes, {loaded} AS arrived_at, DATE '2026-03-03' AS business_date, 1 AS "
        f"load_seq, '{status}' AS status, 9 AS rows_in, {9 - quarantined} AS rows_loaded, {quarantined} AS "
        f"rows_quarantined, 0 AS rows_filtered, 0 AS rows_collapsed, {loaded} AS loaded_at"
    )
    found = LATE.replace("source_missing", kind).replace("NULL, NULL, 'no file'", "'b1', 'o.csv', 'moved'")
    found = found.format("open", "NULL")
    rows = [found.replace("f1", f"f{n}").replace("'moved', NULL", f"'moved', '{e}'") for n, e in enumerate(evidence)]
    _snapshot(place.settings, 1, [FINDINGS, batch, *(f"INSERT INTO ops.findings VALUES {row}" for row in rows)])
    [finding] = [signal for signal in place.look(snapshot_observer) if signal.kind == "landing.finding"]
    assert (finding.labels.get(LOADED) == WHOLE) is is_whole


def test_a_finding_that_comes_back_under_its_old_number_is_stored_again(place):
    states = [
        ("open", "14:00", "NULL"),
        ("resolved", "14:00", "TIMESTAMP '2026-03-04 14:30'"),
        ("open", "15:00", "NULL"),
    ]
    seen = []
    for number, (state, observed, resolved) in enumerate(states, 1):
        row = LATE.format(state, resolved).replace("2026-03-04 14:00", f"2026-03-04 {observed}")
        _snapshot(place.settings, number, [FINDINGS, f"INSERT INTO ops.findings VALUES {row}"])
        place.look(snapshot_observer, NOW + timedelta(hours=number))
        [finding] = place.ledger.latest("landing.finding").values()
        seen.append(finding.state)
    assert seen == [FIRING, OK, FIRING]


@pytest.mark.parametrize("how", ["removed", "switched off"])
def test_an_open_finding_of_a_feed_that_is_gone_closes_without_a_run_and_opens_when_the_feed_is_back(place, how):
    _snapshot(place.settings, 1, [FINDINGS, f"INSERT INTO ops.findings VALUES {LATE.format('open', 'NULL')}"])
    known, orders = place.catalog, place.catalog.feeds["orders"]
    others = {name: feed for name, feed in known.feeds.items() if name != "orders"}
    off = {} if how == "removed" else {"orders": orders.model_copy(update={"enabled": False})}
    without = replace(known, feeds=others | off)
    seen = []
    for hour, place.catalog in enumerate([known, without, without, known, known]):
        place.look(snapshot_observer, NOW + timedelta(hours=hour))
        [finding] = place.ledger.latest("landing.finding").values()
        seen.append((finding.state, finding.event_at.hour - NOW.hour))
    assert seen == [(FIRING, -1), (OK, 1), (OK, 1), (FIRING, 3), (FIRING, 3)]


def test_an_observer_that_breaks_is_a_signal_and_stops_no_other(place, monkeypatch):
    _snapshot(place.settings, 1, ["CREATE TABLE ops.findings (wrong INTEGER)"])
    report = run_once(place.settings, place.catalog, NOW, observers=OBSERVERS)
    assert "snapshot" in report.observer_errors
    assert [a.rule for a in place.ledger.alerts("open")] == ["observer_failing"]
    assert place.ledger.latest("resource.disk_percent")
    _snapshot(place.settings, 2, [FINDINGS])
    run_once(place.settings, place.catalog, NOW + timedelta(minutes=1), observers=OBSERVERS)
    assert place.ledger.alerts("open") == []
