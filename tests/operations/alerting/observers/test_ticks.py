"""Schedules whose tick is missing or failed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_project.dagster_bridge import ticks
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.operations.alerting.observers import ticks as observe_ticks
from tests.operations.alerting.observers.place import NOW, new_york

NIGHTLY = {"cron": "0 2 * * *", "zone": "America/New_York", "job": "master_pipeline", "domain": "ecommerce"}


def _tick(place, monkeypatch, now, last, failed=False, created=NOW - timedelta(days=9)):
    place.ledger.put_document("schedules", {"nightly": NIGHTLY}, "x", NOW)
    item = ticks.Instigator("nightly", True, created, last, failed, "boom" if failed else "")
    monkeypatch.setattr(ticks, "instigators", lambda instance: [item])
    return [(s.kind, s.state) for s in place.look(observe_ticks, now)]


def test_a_schedule_that_did_not_tick_is_missed_after_ten_minutes_and_well_when_it_ticks(place, monkeypatch):
    yesterday, due = new_york("02:00") - timedelta(days=1), new_york("02:00")
    assert _tick(place, monkeypatch, due + timedelta(minutes=9), yesterday) == []
    assert _tick(place, monkeypatch, due + timedelta(minutes=11), yesterday) == [("schedule.tick_missed", FIRING)]
    assert _tick(place, monkeypatch, due + timedelta(minutes=12), yesterday) == []
    assert _tick(place, monkeypatch, due + timedelta(minutes=20), due + timedelta(minutes=19)) == [
        ("schedule.tick_missed", OK)
    ]


@pytest.mark.parametrize("how", ["switched off", "removed from the code"])
def test_a_schedule_that_is_no_more_is_not_missed_any_longer(place, monkeypatch, how):
    yesterday, due = new_york("02:00") - timedelta(days=1), new_york("02:00")
    assert _tick(place, monkeypatch, due + timedelta(minutes=11), yesterday) == [("schedule.tick_missed", FIRING)]
    if how == "switched off":
        monkeypatch.setattr(ticks, "instigators", lambda instance: [])
    else:
        place.ledger.put_document("schedules", {"other": NIGHTLY}, "y", NOW)
    found = place.look(observe_ticks, due + timedelta(minutes=12))
    assert [(s.kind, s.state, s.check) for s in found] == [("schedule.tick_missed", OK, "nightly")]


def test_a_missed_schedule_is_its_domains(place, monkeypatch):
    _tick(place, monkeypatch, new_york("02:00") + timedelta(minutes=11), new_york("02:00") - timedelta(days=1))
    [missed] = place.ledger.latest("schedule.tick_missed").values()
    assert (missed.domain, missed.owners) == ("ecommerce", ("team:ecommerce-data",))


def test_the_hour_that_the_clocks_skip_is_not_missed(place, monkeypatch):
    # 2026-03-08 02:00 does not exist in New York. Dagster ticks at 03:00 local time, which is 07:00 UTC.
    before = datetime(2026, 3, 7, 7, 0, tzinfo=UTC)
    ticked = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert _tick(place, monkeypatch, ticked + timedelta(minutes=5), before) == []
    assert _tick(place, monkeypatch, ticked + timedelta(minutes=30), ticked) == []


def test_a_tick_that_failed_fires_and_the_next_that_succeeds_is_ok(place, monkeypatch):
    assert _tick(place, monkeypatch, NOW, new_york("02:00"), failed=True) == [("schedule.tick_failure", FIRING)]
    assert _tick(place, monkeypatch, NOW, new_york("03:00")) == [("schedule.tick_failure", OK)]


def test_a_schedule_is_not_missed_before_it_was_ever_switched_on(place, monkeypatch):
    assert _tick(place, monkeypatch, NOW, None, created=NOW - timedelta(hours=1)) == []
