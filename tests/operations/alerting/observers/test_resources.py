"""Disk, storage and the processes of runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ops_project.dagster_bridge import active_runs as running
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers import processes as observe_processes
from ops_project.operations.alerting.observers import resources as observe_resources
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.process.processes import current
from tests.operations.alerting.observers.place import GRAPH, NOW


def test_disk_and_storage_are_read_and_what_cannot_be_read_is_unknown(place, monkeypatch):
    seen = {(s.kind, s.check): s for s in place.look(observe_resources)}
    assert 0 < seen["resource.disk_percent", "home"].value < 100
    assert seen["storage.bytes", "ledger"].value > 1000

    def broken(path):
        raise OSError("gone")

    monkeypatch.setattr(observe_resources.psutil, "disk_usage", broken)
    seen = {(s.kind, s.check): s for s in place.look(observe_resources, NOW + timedelta(minutes=6))}
    assert seen["resource.disk_percent", "home"].value is None


def test_the_process_of_a_run_is_measured_and_one_that_is_gone_is_unknown(place, monkeypatch):
    mine = running.ActiveRun("r", "master_pipeline", "ecommerce", False, NOW, NOW, {"gold": NOW}, str(current()))
    monkeypatch.setattr(running, "active_runs", lambda instance: [mine])
    place.instance = object()
    seen = {s.kind: s for s in place.look(observe_processes)}
    assert seen["resource.memory_percent"].value > 0 and seen["resource.cpu_percent"].value is not None
    assert seen["resource.cpu_percent"].labels["step"] == "gold"
    foreign = running.ActiveRun("r", "master_pipeline", "ecommerce", False, NOW, NOW, {}, "another-boot:1:1")
    monkeypatch.setattr(running, "active_runs", lambda instance: [foreign])
    seen = {s.kind: s for s in place.look(observe_processes, NOW + timedelta(minutes=6))}
    assert seen["resource.memory_percent"].value is None


def test_what_a_step_uses_is_used_for_the_assets_that_it_still_builds(place, monkeypatch):
    step = {"gold": frozenset({"gold/kpi_aggregate_profit", "gold/kpi_aggregate_growth"})}
    mine = running.ActiveRun("r", "investor_pipeline", "investor", False, NOW, NOW, {"gold": NOW}, str(current()), step)
    monkeypatch.setattr(running, "active_runs", lambda instance: [mine])
    place.instance = object()
    seen = {(s.kind, s.asset): s for s in place.look(observe_processes)}
    whole = seen["resource.memory_percent", ""]
    for asset in step["gold"]:
        assert seen["resource.memory_percent", asset].value == pytest.approx(whole.value, rel=0.2)
        assert seen["resource.cpu_percent", asset].owners == GRAPH.get(asset).owners
    assert set(whole.assets) == step["gold"] and "which builds gold/kpi_aggregate_growth" in whole.message
    monkeypatch.setattr(running, "active_runs", lambda instance: [])
    ended = place.look(observe_processes, NOW + timedelta(minutes=1))
    assert {s.asset for s in ended if s.kind == "resource.memory_percent"} == {"", *step["gold"]}
    assert {s.value for s in ended} == {0.0}
    assert place.look(observe_processes, NOW + timedelta(minutes=2)) == []


def test_an_asset_that_another_pipeline_goes_on_to_build_is_no_longer_the_first_ones_load(place, monkeypatch):
    asset = "gold/kpi_aggregate_profit"
    monkeypatch.setattr(observe_processes, "_measured", lambda process: (90.0, 95.0))
    watched = (Observer("processes", observe_processes.look),)

    def cycles(job: str | None, minutes: range) -> list[tuple[str, str]]:
        step = {"gold": frozenset({asset})}
        run = running.ActiveRun(job or "", job or "", "investor", False, NOW, NOW, {"gold": NOW}, str(current()), step)
        monkeypatch.setattr(running, "active_runs", lambda instance: [run] if job else [])
        for minute in minutes:
            at = NOW + timedelta(minutes=minute)
            run_once(place.settings, place.catalog, at, lineage=GRAPH, observers=watched)
        return sorted({(a.rule, a.labels["pipeline"]) for a in place.ledger.alerts("open") if a.rule == "memory_high"})

    assert cycles("investor_pipeline", range(20)) == [("memory_high", "investor_pipeline")]
    monkeypatch.setattr(observe_processes, "_measured", lambda process: (10.0, 10.0))
    # The first process was killed. Another one builds the same asset before the next look.
    assert cycles("profit_aggregate_investors", range(20, 40)) == []
    [kept] = [s for s in place.ledger.latest("resource.memory_percent").values() if s.asset == asset]
    assert (kept.pipeline, kept.value) == ("profit_aggregate_investors", 10.0)
    assert cycles(None, range(40, 42)) == []
