"""Deadlines and daily successes: promised, predicted, missed and restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from ops_project.model.alerting.signal import FIRING, OK, Signal
from ops_project.operations.alerting.observers import service_levels as observe_expected
from ops_project.operations.alerting.service_levels.durations import Baseline
from ops_project.operations.alerting.service_levels.expected import due_at
from tests.operations.alerting.observers.place import KPIS, NOW, investor, new_york


def _kinds(signals):
    return {(s.kind, s.state) for s in signals}


def test_a_pipeline_that_is_ready_in_time_gives_no_signal(place):
    investor(place, new_york("03:00"))
    for clock in ("05:00", "07:31", "08:00", "12:00"):
        assert place.look(observe_expected, new_york(clock)) == []


def test_a_pipeline_that_never_started_is_foreseen_half_an_hour_ahead_and_then_breached_and_then_well(place):
    investor(place)
    assert place.look(observe_expected, new_york("07:29")) == []
    [risk] = place.look(observe_expected, new_york("07:31"))
    assert (risk.kind, risk.state, risk.labels["sla"]) == ("sla.at_risk", FIRING, "investor-metrics")
    assert place.look(observe_expected, new_york("07:45")) == []
    assert _kinds(place.look(observe_expected, new_york("08:00"))) == {("sla.at_risk", OK), ("sla.breach", FIRING)}
    for kpi in KPIS:
        place.saw("asset.failure", OK, new_york("09:00"), asset=f"gold/{kpi}")
    assert _kinds(place.look(observe_expected, new_york("09:01"))) == {("sla.breach", OK)}


def test_the_remaining_critical_path_moves_the_warning_forward(place):
    investor(place)
    steps = {"land": (600.0,) * 5, "silver": (1200.0,) * 5, "gold": (1800.0,) * 5}
    assets = {
        "bronze/transactions": "land",
        "silver/fact_transactions": "silver",
        **{f"gold/{k}": "gold" for k in KPIS},
    }
    place.ledger.put_document(
        "baselines", {"investor_pipeline": Baseline("r", (3600.0,) * 5, steps, assets).dump()}, "x", NOW
    )
    assert place.look(observe_expected, new_york("06:29")) == [], (
        "an hour of work and half an hour of warning fit until 06:30"
    )
    assert _kinds(place.look(observe_expected, new_york("06:31"))) == {("sla.at_risk", FIRING)}
    place.saw("asset.failure", OK, new_york("06:35"), asset="silver/fact_transactions")
    place.saw("asset.failure", OK, new_york("06:35"), asset="bronze/transactions")
    assert _kinds(place.look(observe_expected, new_york("06:36"))) == {("sla.at_risk", OK)}, (
        "half an hour of work is left"
    )
    assert _kinds(place.look(observe_expected, new_york("07:01"))) == {("sla.at_risk", FIRING)}


def test_a_pipeline_that_never_ran_here_breaks_no_promise(place):
    assert place.look(observe_expected, new_york("09:00")) == []


def test_yesterdays_breach_ends_when_what_was_missing_has_come(place):
    investor(place)
    place.look(observe_expected, new_york("08:01"))
    for kpi in KPIS:
        place.saw("asset.failure", OK, new_york("08:00") + timedelta(hours=20), asset=f"gold/{kpi}")
    found = place.look(observe_expected, new_york("08:00") + timedelta(hours=21))
    assert [(s.kind, s.state, s.partition) for s in found] == [("sla.breach", OK, "2026-03-04")]


def test_a_deadline_that_passed_while_nobody_looked_is_a_breach_after_midnight(place):
    investor(place)
    place.saw("run.failure", OK, NOW - timedelta(days=2), pipeline="master_pipeline")
    assert place.look(observe_expected, new_york("04:00")) == []
    found = place.look(observe_expected, new_york("04:00") + timedelta(hours=22))
    assert {(s.kind, s.state, s.partition) for s in found} >= {
        ("sla.breach", FIRING, "2026-03-04"),
        ("expectation.missing", FIRING, "2026-03-04"),
    }
    for kpi in KPIS:
        place.saw("asset.failure", OK, new_york("04:00") + timedelta(hours=23), asset=f"gold/{kpi}")
    ended = place.look(observe_expected, new_york("04:00") + timedelta(hours=24))
    assert ("sla.breach", OK, "2026-03-04") in {(s.kind, s.state, s.partition) for s in ended}


def test_what_a_rehearsal_of_tomorrow_built_does_not_keep_todays_promise(place):
    investor(place)
    tomorrow = new_york("03:00") + timedelta(days=1)
    for kpi in KPIS:
        place.saw("asset.failure", OK, tomorrow, asset=f"gold/{kpi}")
    place.saw("run.failure", OK, tomorrow, pipeline="investor_pipeline")
    place.look(observe_expected, tomorrow + timedelta(hours=1))
    found = {(s.kind, s.state) for s in place.look(observe_expected, new_york("08:01"))}
    assert ("sla.breach", FIRING) in found
    for kpi in KPIS:
        place.saw("asset.failure", OK, new_york("08:05"), asset=f"gold/{kpi}")
    assert ("sla.breach", OK) in {(s.kind, s.state) for s in place.look(observe_expected, new_york("08:06"))}


def test_what_nobody_promises_any_more_is_over(place):
    investor(place)
    place.look(observe_expected, new_york("08:01"))
    sla = place.catalog.slas.slas["investor-metrics"]
    renamed = sla.model_copy(update={"title": "Investor numbers"})
    slas = place.catalog.slas.model_copy(update={"slas": {**place.catalog.slas.slas, "investor-metrics": renamed}})
    place.catalog = replace(place.catalog, slas=slas)
    found = place.look(observe_expected, new_york("08:02"))
    assert {(s.check, s.state) for s in found if s.kind == "sla.breach"} == {
        ("Investor numbers", FIRING),
        (sla.title, OK),
    }


def test_a_daily_success_that_does_not_come_is_missed_and_one_that_comes_late_repairs_it(place):
    place.saw("run.failure", OK, NOW - timedelta(days=1), pipeline="master_pipeline")
    assert place.look(observe_expected, new_york("05:59")) == []
    [missing] = place.look(observe_expected, new_york("06:00"))
    assert (missing.kind, missing.state, missing.check) == ("expectation.missing", FIRING, "E-commerce daily pipeline")
    place.saw("run.failure", OK, new_york("06:30"), pipeline="master_pipeline")
    assert _kinds(place.look(observe_expected, new_york("06:31"))) == {("expectation.missing", OK)}


def test_a_pipeline_that_succeeded_today_and_failed_since_has_succeeded_today(place):
    for back in (1, 2):
        place.saw("run.failure", OK, NOW - timedelta(days=back), pipeline="master_pipeline")
    place.saw("run.failure", OK, new_york("02:40"), pipeline="master_pipeline")
    place.saw("run.failure", FIRING, new_york("05:00"), pipeline="master_pipeline")
    assert place.look(observe_expected, new_york("08:30")) == []


def test_a_running_step_counts_what_is_left_of_it(place):
    investor(place)
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
                new_york("07:00"),
                new_york("07:00"),
                "a",
                2400.0,
                pipeline="investor_pipeline",
                check="gold",
            )
        ]
    )
    assert place.look(observe_expected, new_york("07:00")) == [], "40 of 60 minutes are done: ready at 07:20"
    place.ledger.append(
        [
            Signal(
                "step.duration_seconds",
                OK,
                new_york("07:00"),
                new_york("07:00"),
                "b",
                600.0,
                pipeline="investor_pipeline",
                check="gold",
            )
        ]
    )
    assert _kinds(place.look(observe_expected, new_york("07:01"))) == {("sla.at_risk", FIRING)}, (
        "10 of 60: ready at 07:50"
    )
    assert place.look(observe_expected, new_york("07:20")) == [], (
        "an old reading says nothing: an hour's work, still at risk"
    )


def test_a_mark_moves_with_the_start_when_the_clocks_do(place):
    [silver] = [sla for name, sla in place.catalog.slas.slas.items() if name == "ecommerce-silver"]
    zone = place.catalog.platform.zone

    def due(day):
        return due_at(silver, date.fromisoformat(day), zone).strftime("%H:%M")

    assert silver.due == "03:00"
    # On this day 02:00 becomes 03:00 EDT (07:00 UTC). In autumn it is the 02:00 after the hour that occurs twice.
    assert [due("2026-03-07"), due("2026-03-08"), due("2026-11-01")] == ["08:00", "08:00", "08:00"]


def test_a_missed_mark_is_high_and_a_missed_promise_pages(place):
    severities = {name: sla.severity for name, sla in place.catalog.slas.slas.items()}
    assert severities["investor-metrics"] == severities["ecommerce-daily"] == "critical"
    assert severities["ecommerce-silver"] == "high"
    investor(place)
    place.look(observe_expected, new_york("08:00"))
    [breach] = [s for s in place.ledger.latest("sla.breach").values() if s.state == FIRING]
    assert breach.labels == {"sla": "investor-metrics", "sla_severity": "critical"}
    assert set(breach.assets) == {f"gold/{kpi}" for kpi in KPIS}
