"""Slow, stuck and waiting runs."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus

from ops_project.dagster_bridge import active_runs as running
from ops_project.model.alerting.signal import FIRING, OK
from ops_project.operations.alerting.observers import running as observe_running
from ops_project.process import locks
from ops_project.process.processes import current
from tests.operations.alerting.observers.place import NOW


def test_a_run_that_waits_for_the_warehouse_waits_and_is_not_stuck(place, monkeypatch):
    place.settings.lock.parent.mkdir(parents=True, exist_ok=True)
    waiting = _run(timedelta(minutes=50), last=NOW - timedelta(minutes=50), process=str(current()))
    other = running.ActiveRun(
        "r0", "marketing_pipeline", "marketing", False, NOW - timedelta(hours=1), NOW, {"ldz": NOW}, ""
    )
    monkeypatch.setattr(locks, "holder", lambda path: locks.Holder(1, "job marketing_pipeline", "r0", "2026-03-04"))
    monkeypatch.setattr(running, "active_runs", lambda instance: [waiting, other])
    monkeypatch.setattr(running, "newest_success", lambda instance, job: "")
    seen = {(s.kind, s.pipeline): s for s in place.look(observe_running)}
    assert seen["run.queued_seconds", "master_pipeline"].value == 3000
    assert seen["resource.queue_length", ""].value == 1
    assert ("run.stuck", "master_pipeline") not in seen


def _run(since: timedelta, waiting=False, steps=None, last=None, process=""):
    at = NOW - since
    return running.ActiveRun("r1", "master_pipeline", "ecommerce", waiting, at, last or NOW, steps or {}, process)


def _observe_running(place, monkeypatch, runs, samples=()):
    monkeypatch.setattr(running, "active_runs", lambda instance: runs)
    monkeypatch.setattr(running, "newest_success", lambda instance, job: "s1" if samples else "")
    past = [running.PastRun("s1", seconds, {"gold": seconds / 2}, {}) for seconds in samples]
    monkeypatch.setattr(running, "past_successes", lambda instance, job, limit=20: past)
    return {s.kind: s for s in place.look(observe_running)}


def test_a_run_is_slow_while_it_still_runs_against_the_median_of_successes(place, monkeypatch):
    seen = _observe_running(
        place,
        monkeypatch,
        [_run(timedelta(seconds=730), steps={"gold": NOW - timedelta(seconds=700)})],
        samples=[590, 600, 600, 610, 5000],
    )
    assert seen["run.duration_ratio"].value == pytest.approx(1.217)
    assert seen["run.duration_ratio"].labels["long_enough"] == "true"
    assert seen["step.duration_ratio"].value == pytest.approx(700 / 300, rel=1e-3)


def test_without_five_successes_there_is_no_baseline_and_no_ratio(place, monkeypatch):
    seen = _observe_running(place, monkeypatch, [_run(timedelta(hours=3))], samples=[600, 600, 600, 600])
    assert "run.duration_ratio" not in seen and seen["run.duration_seconds"].value == 10800


def test_readings_go_back_to_zero_when_the_run_has_ended(place, monkeypatch):
    _observe_running(place, monkeypatch, [_run(timedelta(hours=3))])
    seen = {s.kind: s for s in _ended(place, monkeypatch, NOW + timedelta(minutes=1))}
    assert seen["run.duration_seconds"].value == 0
    assert _ended(place, monkeypatch, NOW + timedelta(minutes=2)) == []


def _ended(place, monkeypatch, now=None):
    monkeypatch.setattr(running, "active_runs", lambda instance: [])
    return place.look(observe_running, now)


def test_a_run_whose_process_is_gone_is_stuck_at_once_and_one_that_is_silent_after_an_hour(place, monkeypatch):
    gone = SimpleNamespace(text=str(current()).replace(f":{current().pid}:", ":1:"))
    seen = _observe_running(place, monkeypatch, [_run(timedelta(minutes=1), process=gone.text)])
    assert seen["run.stuck"].state == FIRING and "is gone" in seen["run.stuck"].message
    silent = _run(timedelta(hours=2), steps={"gold": NOW - timedelta(hours=2)}, last=NOW - timedelta(minutes=61))
    assert _observe_running(place, monkeypatch, [silent])["run.stuck"].state == FIRING
    alive = _run(
        timedelta(hours=2),
        steps={"gold": NOW - timedelta(hours=2)},
        last=NOW - timedelta(minutes=59),
        process=str(current()),
    )
    assert _observe_running(place, monkeypatch, [alive])["run.stuck"].state == OK


def test_waiting_runs_are_counted_and_timed(place, monkeypatch):
    seen = _observe_running(place, monkeypatch, [_run(timedelta(hours=2), waiting=True)])
    assert (seen["run.queued_seconds"].value, seen["resource.queue_length"].value) == (7200, 1)


def test_active_and_past_runs_are_read_from_a_real_instance():
    with dg.DagsterInstance.ephemeral() as instance:

        @dg.asset
        def one() -> None: ...

        dg.materialize([one], instance=instance)
        [past] = running.past_successes(instance, "__ephemeral_asset_job__")
        assert past.assets == {"one": "one"} and 0 <= past.steps["one"] < 60
        run = instance.create_run_for_job(
            dg.define_asset_job("j").resolve(asset_graph=dg.Definitions(assets=[one]).resolve_asset_graph())
        )
        instance.report_dagster_event(
            DagsterEvent(DagsterEventType.RUN_START.value, "j", message="started"), run.run_id
        )
        assert instance.get_run_by_id(run.run_id).status == DagsterRunStatus.STARTED
        [active] = running.active_runs(instance)
        assert (active.job, active.waiting, active.steps) == ("j", False, {})
