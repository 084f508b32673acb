"""If a subject was removed from the configuration or from the code, reports about it end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ops_project.defs.operations import backup_observer, snapshot_observer
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers import resources, rota
from ops_project.operations.ledger import lineage_document
from tests.operations.alerting.observers.place import NOW
from tests.operations.alerting.observers.test_snapshots import CHURN, FINDINGS, _snapshot

LATER = NOW + timedelta(minutes=5)
ASSET = AssetFacts("gold/t", owners=("team:ecommerce-data",), domain="ecommerce", freshness=True)
BEFORE = Lineage.of([ASSET], jobs=["nightly", "other"], sensors=["files", "alert_cycle"])
SCHEDULED = {"scheduled": "true"}
ABOUT = {
    "a job that failed": ("run.failure", {"pipeline": "nightly", "labels": SCHEDULED}),
    "a step": ("step.failure", {"pipeline": "nightly", "check": "mails"}),
    "a publication": ("publication.failure", {"pipeline": "nightly", "labels": SCHEDULED}),
    "a sensor": ("schedule.tick_failure", {"check": "files"}),
    "freshness": ("freshness.state", {"asset": "gold/t"}),
}
AFTER = {
    "a sensor": Lineage.of([ASSET], jobs=["nightly", "other"], sensors=["alert_cycle"]),
    "freshness": Lineage.of([replace(ASSET, freshness=False)], jobs=["nightly", "other"], sensors=["files"]),
}
RENAMED = Lineage.of([ASSET], jobs=["nightly_shop", "other"], sensors=["files", "alert_cycle"])


def _open(place, at, lineage) -> list[str]:
    run_once(place.settings, place.catalog, at, lineage=lineage, observers=(), take_over=True)
    return [alert.rule for alert in place.ledger.alerts("open")]


@pytest.mark.parametrize("subject", ABOUT)
def test_the_alert_ends_with_its_subject_and_comes_back_with_it(place, subject):
    kind, fields = ABOUT[subject]
    place.ledger.append([Signal(kind, FIRING if kind != "freshness.state" else OK, NOW, NOW, "1", 1.0, **fields)])
    assert len(_open(place, NOW, BEFORE)) == 1
    unknown = Lineage.of([ASSET]) if subject != "freshness" else Lineage()
    assert len(_open(place, NOW + timedelta(minutes=1), unknown)) == 1, "it is not known whether it exists"
    assert len(_open(place, NOW + timedelta(minutes=2), BEFORE)) == 1
    assert _open(place, NOW + timedelta(minutes=3), AFTER.get(subject, RENAMED)) == []
    assert len(_open(place, NOW + timedelta(minutes=4), BEFORE)) == 1, "it still fails"


def test_the_breach_of_a_promise_stays_although_its_job_was_renamed(place):
    fields = {"pipeline": "nightly", "check": "numbers", "labels": {"sla": "numbers", "sla_severity": "critical"}}
    place.ledger.append([Signal("sla.breach", FIRING, NOW, NOW, "1", 1.0, **fields)])
    assert _open(place, NOW, BEFORE) == _open(place, LATER, RENAMED) == ["sla_breach"]


def test_a_graph_of_an_earlier_version_removes_nothing(place):
    lineage_document.remember(place.ledger, Lineage.of([replace(ASSET, freshness=False)]), NOW)
    lineage_document.remember(place.ledger, BEFORE, NOW)
    assert lineage_document.removed(place.ledger) == frozenset()


def test_the_gap_of_a_schedule_that_was_removed_ends(place):
    place.saw("oncall.gap", FIRING, NOW, check="weekend")
    [ended] = [s for s in place.look(rota, LATER) if s.check == "weekend"]
    assert (ended.state, ended.message) == (OK, "there is no such schedule any more")
    assert [s for s in place.look(rota, LATER + timedelta(hours=1)) if s.check == "weekend"] == []


def test_what_was_reported_of_backups_ends_where_no_destination_is_configured_any_more(place):
    assert place.catalog.platform.backups.destination is None
    assert place.look(backup_observer) == []
    place.ledger.append([Signal("backup.proved_age_hours", OK, NOW, NOW, "1", 90.0, check="backup")])
    place.saw("backup.failed", FIRING, NOW, check="backup")
    assert len(_open(place, NOW, BEFORE)) == 2
    assert len(place.look(backup_observer, LATER)) == 2
    assert _open(place, LATER, BEFORE) == []
    assert place.look(backup_observer, LATER + timedelta(minutes=5)) == []


def test_the_size_of_a_table_that_was_dropped_and_of_a_folder_that_was_removed_is_zero(place):
    _snapshot(place.settings, 1, [FINDINGS, CHURN.format(10)])
    for kind, fields in (("storage.asset_bytes", {"asset": "gold/old"}), ("storage.bytes", {"check": "published"})):
        place.ledger.append([Signal(kind, OK, NOW, NOW, "1", 3e11, **fields)])
    assert len(_open(place, NOW, BEFORE)) == 2
    place.look(snapshot_observer, LATER)
    place.look(resources, LATER)
    assert _open(place, LATER, BEFORE) == []


def test_a_metric_that_was_removed_fails_no_more(place):
    _snapshot(place.settings, 1, [FINDINGS])
    place.ledger.append(
        [], {"failing:snapshot: metric acme.orders": "1", "failing:snapshot: metric quality.anomalies": "1"}, NOW
    )
    well = snapshot_observer.look(place.view(LATER)).well
    assert "metric acme.orders" in well
    assert "metric quality.anomalies" not in well, "its table does not exist, so nobody knows"
