"""What is observed besides ended runs: slow and stuck runs, ticks, deadlines, daily successes, resources, snapshots."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import dagster as dg
import duckdb
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus

from ops_project import catalog
from ops_project.dagster_bridge import active_runs as running
from ops_project.dagster_bridge import ticks
from ops_project.defs.operations import snapshot_observer
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.lineage import AssetFacts, Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers import processes as observe_processes
from ops_project.operations.alerting.observers import resources as observe_resources
from ops_project.operations.alerting.observers import running as observe_running
from ops_project.operations.alerting.observers import service_levels as observe_expected
from ops_project.operations.alerting.observers import ticks as observe_ticks
from ops_project.operations.alerting.observers.observer import Observer, View
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.durations import Baseline
from ops_project.operations.alerting.service_levels.expected import due_at
from ops_project.operations.alerting.service_levels.uptime import measured_time, uptime
from ops_project.operations.ledger import Ledger
from ops_project.pipeline.landing import ensure_tables
from ops_project.process import locks
from ops_project.process.processes import current
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
KPIS = (
    "kpi_experiment_unit_profit",
    "kpi_aggregate_profit",
    "kpi_aggregate_growth",
    "kpi_experiment_daily_growth",
    "kpi_aggregate_engagement",
)
GRAPH = Lineage.of(
    [
        AssetFacts("bronze/transactions", owners=("team:investor-metrics",), domain="investor"),
        AssetFacts("silver/fact_transactions", ("bronze/transactions",), ("team:investor-metrics",), "investor"),
        *(
            AssetFacts(f"gold/{kpi}", ("silver/fact_transactions",), ("team:investor-metrics",), "investor")
            for kpi in KPIS
        ),
    ]
)


@dataclass
class Place:
    settings: Settings
    ledger: Ledger
    catalog: object
    now: datetime = NOW
    instance: object = None
    lineage: Lineage = field(default_factory=lambda: GRAPH)

    def view(self, now=None) -> View:
        return View(
            self.settings,
            self.catalog,
            self.ledger,
            self.lineage,
            self.ledger.cursors(),
            now or self.now,
            self.instance,
        )

    def look(self, module, now=None) -> list[Signal]:
        seen = module.look(self.view(now))
        self.ledger.append(seen.signals, seen.cursors, now or self.now)
        return seen.signals

    def saw(self, kind, state, at, **fields) -> None:
        self.ledger.append([Signal(kind, state, at, at, at.isoformat(), float(state == FIRING), **fields)])


@pytest.fixture
def place(tmp_path):
    settings = Settings.load(home=tmp_path)
    with Ledger.open(settings.ledger_url) as ledger:
        yield Place(settings, ledger, catalog.load(settings))


def _kinds(signals):
    return {(s.kind, s.state) for s in signals}


# ---- service levels: S2's 08:00 New York is 13:00 UTC in winter
def _investor(place, built_at=None):
    place.saw("run.failure", OK, NOW - timedelta(days=2), pipeline="investor_pipeline")
    if built_at:
        for kpi in KPIS:
            place.saw("asset.failure", OK, built_at, asset=f"gold/{kpi}")


def _at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return datetime(2026, 3, 4, int(hours) + 5, int(minutes), tzinfo=UTC)


def test_a_pipeline_that_is_ready_in_time_gives_no_signal(place):
    _investor(place, _at("03:00"))
    for clock in ("05:00", "07:31", "08:00", "12:00"):
        assert place.look(observe_expected, _at(clock)) == []


def test_a_pipeline_that_never_started_is_foreseen_half_an_hour_ahead_and_then_breached_and_then_well(place):
    _investor(place)
    assert place.look(observe_expected, _at("07:29")) == []
    [risk] = place.look(observe_expected, _at("07:31"))
    assert (risk.kind, risk.state, risk.labels["sla"]) == ("sla.at_risk", FIRING, "investor-metrics")
    assert place.look(observe_expected, _at("07:45")) == []
    assert _kinds(place.look(observe_expected, _at("08:00"))) == {("sla.at_risk", OK), ("sla.breach", FIRING)}
    for kpi in KPIS:
        place.saw("asset.failure", OK, _at("09:00"), asset=f"gold/{kpi}")
    assert _kinds(place.look(observe_expected, _at("09:01"))) == {("sla.breach", OK)}


def test_the_remaining_critical_path_moves_the_warning_forward(place):
    _investor(place)
    steps = {"land": (600.0,) * 5, "silver": (1200.0,) * 5, "gold": (1800.0,) * 5}
    assets = {
        "bronze/transactions": "land",
        "silver/fact_transactions": "silver",
        **{f"gold/{k}": "gold" for k in KPIS},
    }
    place.ledger.put_document(
        "baselines", {"investor_pipeline": Baseline("r", (3600.0,) * 5, steps, assets).dump()}, "x", NOW
    )
    assert place.look(observe_expected, _at("06:29")) == [], (
        "an hour of work and half an hour of warning fit until 06:30"
    )
    assert _kinds(place.look(observe_expected, _at("06:31"))) == {("sla.at_risk", FIRING)}
    place.saw("asset.failure", OK, _at("06:35"), asset="silver/fact_transactions")
    place.saw("asset.failure", OK, _at("06:35"), asset="bronze/transactions")
    assert _kinds(place.look(observe_expected, _at("06:36"))) == {("sla.at_risk", OK)}, "half an hour of work is left"
    assert _kinds(place.look(observe_expected, _at("07:01"))) == {("sla.at_risk", FIRING)}


def test_a_pipeline_that_never_ran_here_breaks_no_promise(place):
    assert place.look(observe_expected, _at("09:00")) == []


def test_yesterdays_breach_ends_when_what_was_missing_has_come(place):
    _investor(place)
    place.look(observe_expected, _at("08:01"))
    for kpi in KPIS:
        place.saw("asset.failure", OK, _at("08:00") + timedelta(hours=20), asset=f"gold/{kpi}")
    found = place.look(observe_expected, _at("08:00") + timedelta(hours=21))
    assert [(s.kind, s.state, s.partition) for s in found] == [("sla.breach", OK, "2026-03-04")]


def test_a_deadline_that_passed_while_nobody_looked_is_a_breach_after_midnight(place):
    _investor(place)
    place.saw("run.failure", OK, NOW - timedelta(days=2), pipeline="master_pipeline")
    assert place.look(observe_expected, _at("04:00")) == []
    found = place.look(observe_expected, _at("04:00") + timedelta(hours=22))
    assert {(s.kind, s.state, s.partition) for s in found} >= {
        ("sla.breach", FIRING, "2026-03-04"),
        ("expectation.missing", FIRING, "2026-03-04"),
    }
    for kpi in KPIS:
        place.saw("asset.failure", OK, _at("04:00") + timedelta(hours=23), asset=f"gold/{kpi}")
    ended = place.look(observe_expected, _at("04:00") + timedelta(hours=24))
    assert ("sla.breach", OK, "2026-03-04") in {(s.kind, s.state, s.partition) for s in ended}


def test_what_nobody_promises_any_more_is_over(place):
    _investor(place)
    place.look(observe_expected, _at("08:01"))
    sla = place.catalog.slas.slas["investor-metrics"]
    renamed = sla.model_copy(update={"title": "Investor numbers"})
    slas = place.catalog.slas.model_copy(update={"slas": {**place.catalog.slas.slas, "investor-metrics": renamed}})
    place.catalog = replace(place.catalog, slas=slas)
    found = place.look(observe_expected, _at("08:02"))
    assert {(s.check, s.state) for s in found if s.kind == "sla.breach"} == {
        ("Investor numbers", FIRING),
        (sla.title, OK),
    }


def test_a_daily_success_that_does_not_come_is_missed_and_one_that_comes_late_repairs_it(place):
    place.saw("run.failure", OK, NOW - timedelta(days=1), pipeline="master_pipeline")
    assert place.look(observe_expected, _at("05:59")) == []
    [missing] = place.look(observe_expected, _at("06:00"))
    assert (missing.kind, missing.state, missing.check) == ("expectation.missing", FIRING, "E-commerce daily pipeline")
    place.saw("run.failure", OK, _at("06:30"), pipeline="master_pipeline")
    assert _kinds(place.look(observe_expected, _at("06:31"))) == {("expectation.missing", OK)}


def test_a_pipeline_that_succeeded_today_and_failed_since_has_succeeded_today(place):
    for back in (1, 2):
        place.saw("run.failure", OK, NOW - timedelta(days=back), pipeline="master_pipeline")
    place.saw("run.failure", OK, _at("02:40"), pipeline="master_pipeline")
    place.saw("run.failure", FIRING, _at("05:00"), pipeline="master_pipeline")
    assert place.look(observe_expected, _at("08:30")) == []


def test_a_running_step_counts_what_is_left_of_it(place):
    _investor(place)
    steps = {"gold": (3600.0,) * 5}
    place.ledger.put_document(
        "baselines",
        {"investor_pipeline": Baseline("r", (3600.0,) * 5, steps, {f"gold/{k}": "gold" for k in KPIS}).dump()},
        "x",
        NOW,
    )

    place.ledger.append(
        [
            Signal(
                "step.duration_seconds",
                OK,
                _at("07:00"),
                _at("07:00"),
                "a",
                2400.0,
                pipeline="investor_pipeline",
                check="gold",
            )
        ]
    )
    assert place.look(observe_expected, _at("07:00")) == [], "40 of 60 minutes are done: ready at 07:20"
    place.ledger.append(
        [
            Signal(
                "step.duration_seconds",
                OK,
                _at("07:00"),
                _at("07:00"),
                "b",
                600.0,
                pipeline="investor_pipeline",
                check="gold",
            )
        ]
    )
    assert _kinds(place.look(observe_expected, _at("07:01"))) == {("sla.at_risk", FIRING)}, "10 of 60: ready at 07:50"
    assert place.look(observe_expected, _at("07:20")) == [], (
        "an old reading says nothing: an hour's work, still at risk"
    )


def test_a_mark_moves_with_the_start_when_the_clocks_do(place):
    [silver] = [sla for name, sla in place.catalog.slas.slas.items() if name == "ecommerce-silver"]
    zone = place.catalog.platform.zone

    def due(day):
        return due_at(silver, date.fromisoformat(day), zone).strftime("%H:%M")

    assert silver.due == "03:00"
    # 02:00 becomes 03:00 EDT, 07:00 UTC; in autumn it is the 02:00 after the hour that comes twice.
    assert [due("2026-03-07"), due("2026-03-08"), due("2026-11-01")] == ["08:00", "08:00", "08:00"]


def test_a_missed_mark_is_high_and_a_missed_promise_pages(place):
    severities = {name: sla.severity for name, sla in place.catalog.slas.slas.items()}
    assert severities["investor-metrics"] == severities["ecommerce-daily"] == "critical"
    assert severities["ecommerce-silver"] == "high"
    _investor(place)
    place.look(observe_expected, _at("08:00"))
    [breach] = [s for s in place.ledger.latest("sla.breach").values() if s.state == FIRING]
    assert breach.labels == {"sla": "investor-metrics", "sla_severity": "critical"}
    assert set(breach.assets) == {f"gold/{kpi}" for kpi in KPIS}


# ---- uptime
def _days_of_looks(place, first, last, step=timedelta(minutes=5)):
    found, at = [], first
    while at <= last:
        found += place.look(observe_expected, at)
        at += step
    return found


def test_uptime_counts_only_measured_time_and_is_told_when_below_its_target(place):
    _investor(place, _at("03:00"))
    _days_of_looks(place, _at("08:00"), _at("08:00") + timedelta(hours=12))
    # Nobody looks at night. The next morning the tables come an hour late.
    tomorrow = timedelta(days=1)
    late = _days_of_looks(place, _at("07:00") + tomorrow, _at("08:55") + tomorrow)
    assert "sla.uptime_low" not in {s.kind for s in late}, "less than a day was measured"
    for kpi in KPIS:
        place.saw("asset.failure", OK, _at("09:00") + tomorrow, asset=f"gold/{kpi}")
    found = _days_of_looks(place, _at("09:00") + tomorrow, _at("09:00") + timedelta(hours=34))
    [told] = [s for s in found if s.kind == "sla.uptime_low"]
    intervals = service_levels.measured(place.ledger)["investor-metrics"]
    assert measured_time(intervals, _at("09:00") + timedelta(hours=34)) == timedelta(hours=24)
    assert told.state == FIRING and "95.83 % of 1.0 measured days" in told.message
    assert uptime(intervals, _at("09:00") + timedelta(days=200)) is None


def test_a_look_without_the_assets_of_a_service_level_forgets_nothing_of_it(place):
    _investor(place, _at("03:00"))
    _days_of_looks(place, _at("08:00"), _at("10:00"))
    measured = service_levels.measured(place.ledger)
    assert measured_time(measured["investor-metrics"], _at("10:00")) == timedelta(hours=2)
    place.lineage = Lineage()
    place.look(observe_expected, _at("10:01"))
    assert service_levels.measured(place.ledger) == measured
    place.look(observe_expected, _at("10:01") + timedelta(days=90))
    assert service_levels.measured(place.ledger) == {}


# ---- running
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


# ---- ticks
NIGHTLY = {"cron": "0 2 * * *", "zone": "America/New_York", "job": "master_pipeline", "domain": "ecommerce"}


def _tick(place, monkeypatch, now, last, failed=False, created=NOW - timedelta(days=9)):
    place.ledger.put_document("schedules", {"nightly": NIGHTLY}, "x", NOW)
    item = ticks.Instigator("nightly", True, created, last, failed, "boom" if failed else "")
    monkeypatch.setattr(ticks, "instigators", lambda instance: [item])
    return [(s.kind, s.state) for s in place.look(observe_ticks, now)]


def test_a_schedule_that_did_not_tick_is_missed_after_ten_minutes_and_well_when_it_ticks(place, monkeypatch):
    yesterday, due = _at("02:00") - timedelta(days=1), _at("02:00")
    assert _tick(place, monkeypatch, due + timedelta(minutes=9), yesterday) == []
    assert _tick(place, monkeypatch, due + timedelta(minutes=11), yesterday) == [("schedule.tick_missed", FIRING)]
    assert _tick(place, monkeypatch, due + timedelta(minutes=12), yesterday) == []
    assert _tick(place, monkeypatch, due + timedelta(minutes=20), due + timedelta(minutes=19)) == [
        ("schedule.tick_missed", OK)
    ]


@pytest.mark.parametrize("how", ["switched off", "removed from the code"])
def test_a_schedule_that_is_no_more_is_not_missed_any_longer(place, monkeypatch, how):
    yesterday, due = _at("02:00") - timedelta(days=1), _at("02:00")
    assert _tick(place, monkeypatch, due + timedelta(minutes=11), yesterday) == [("schedule.tick_missed", FIRING)]
    if how == "switched off":
        monkeypatch.setattr(ticks, "instigators", lambda instance: [])
    else:
        place.ledger.put_document("schedules", {"other": NIGHTLY}, "y", NOW)
    found = place.look(observe_ticks, due + timedelta(minutes=12))
    assert [(s.kind, s.state, s.check) for s in found] == [("schedule.tick_missed", OK, "nightly")]


def test_a_missed_schedule_is_its_domains(place, monkeypatch):
    _tick(place, monkeypatch, _at("02:00") + timedelta(minutes=11), _at("02:00") - timedelta(days=1))
    [missed] = place.ledger.latest("schedule.tick_missed").values()
    assert (missed.domain, missed.owners) == ("ecommerce", ("team:ecommerce-data",))


def test_the_hour_that_the_clocks_skip_is_not_missed(place, monkeypatch):
    # 2026-03-08 02:00 does not exist in New York; Dagster ticks at 03:00 local, 07:00 UTC.
    before = datetime(2026, 3, 7, 7, 0, tzinfo=UTC)
    ticked = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert _tick(place, monkeypatch, ticked + timedelta(minutes=5), before) == []
    assert _tick(place, monkeypatch, ticked + timedelta(minutes=30), ticked) == []


def test_a_tick_that_failed_fires_and_the_next_that_succeeds_is_ok(place, monkeypatch):
    assert _tick(place, monkeypatch, NOW, _at("02:00"), failed=True) == [("schedule.tick_failure", FIRING)]
    assert _tick(place, monkeypatch, NOW, _at("03:00")) == [("schedule.tick_failure", OK)]


def test_a_schedule_is_not_missed_before_it_was_ever_switched_on(place, monkeypatch):
    assert _tick(place, monkeypatch, NOW, None, created=NOW - timedelta(hours=1)) == []


# ---- resources
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
    # The first one was killed; another builds the same asset before the next look.
    assert cycles("profit_aggregate_investors", range(20, 40)) == []
    [kept] = [s for s in place.ledger.latest("resource.memory_percent").values() if s.asset == asset]
    assert (kept.pipeline, kept.value) == ("profit_aggregate_investors", 10.0)
    assert cycles(None, range(40, 42)) == []


# ---- snapshots
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
