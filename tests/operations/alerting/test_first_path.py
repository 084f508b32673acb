"""From a failed run to the owner's alert, without a daemon: real Dagster runs, the real ledger, the file receiver."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterEventType

from ops_project import catalog
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.asset_graph import lineage_of
from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.dagster.events import SHOWN_CHECK
from ops_project.operations.alerting.dagster.run_signals import signals_of_run
from ops_project.operations.alerting.dagster.shown_alerts import evaluation
from ops_project.operations.incidents.rota import current
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings
from tests.operations.alerting import small_site


def _without_quiet_times(loaded: catalog.Catalog) -> catalog.Catalog:
    """Dagster's runs have the time of the wall clock. On a holiday, alerts that are not critical wait for the
    digest.
    """
    never = dict.fromkeys(loaded.calendar.time_intervals, ())
    return replace(loaded, calendar=loaded.calendar.model_copy(update={"time_intervals": never}))


class Site:
    def __init__(self, home) -> None:
        self.settings = Settings.load(home=home)
        self.catalog = _without_quiet_times(catalog.load(self.settings))
        dagster_home.ensure(self.settings)
        with self.settings.exported():
            self.instance = dg.DagsterInstance.from_config(str(self.settings.dagster_home))
        self.definitions = small_site.definitions()
        self.lineage = lineage_of(self.definitions)
        self.now = datetime.now(UTC)

    def run(self, scheduled: bool = False):
        job = self.definitions.resolve_job_def("small_pipeline")
        tags = {"dagster/schedule_name": "nightly"} if scheduled else {}
        return job.execute_in_process(instance=self.instance, raise_on_error=False, tags=tags)

    def cycle(self, later: timedelta = timedelta()):
        self.now = datetime.now(UTC) + later
        return run_once(self.settings, self.catalog, self.now, self.instance, lineage=self.lineage)

    def lines(self):
        file = self.settings.home / "alerts" / "alerts.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self):
        return {
            (line["recipient"], alert["summary"], alert["status"]) for line in self.lines() for alert in line["alerts"]
        }


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(small_site, "BROKEN", {})
    (tmp_path / "home" / "dagster").parent.mkdir(parents=True)
    made = Site(tmp_path / "home")
    yield made
    made.instance.dispose()


def test_each_owner_is_told_of_its_own_failed_asset_and_nobody_of_what_was_only_dropped(site):
    small_site.BROKEN |= {"bronze/orders": "disk says no", "bronze/streams": "no such file"}
    site.run()
    site.cycle()
    site.cycle(timedelta(seconds=31))

    told = {(who, what) for who, what, _ in site.told() if "was not built" in what}
    assert told == {
        ("team:ecommerce-data", "bronze/orders was not built"),
        ("team:streaming-data", "bronze/streams was not built"),
    }
    page = next(site.settings.home.glob("alerts/alert-*.md")).read_text()
    assert "Owners" in page and "First response" in page


def test_the_downstream_of_a_failed_asset_is_named_as_its_blast_radius(site):
    small_site.BROKEN |= {"bronze/orders": "boom"}
    site.run()
    site.cycle()
    site.cycle(timedelta(seconds=31))
    alert = next(a for line in site.lines() for a in line["alerts"] if a["rule"] == "asset_failure")
    assert alert["blast_radius"]["assets"] == ["gold/daily_revenue", "silver/fact_orders"]
    assert alert["message"] == "ValueError: boom"


def test_a_scheduled_failure_pages_the_person_on_call_within_the_cycle_after_two_seconds(site):
    small_site.BROKEN |= {"bronze/orders": "boom"}
    site.run(scheduled=True)
    site.cycle(timedelta(seconds=3))
    pages = [line for line in site.lines() if line["receiver"] == "on-call"]
    # The person on call is paged; the pipeline's owner is informed.
    now = datetime.fromisoformat(pages[0]["at"])
    on_call = current(catalog.load(site.settings), open_ledger(site.settings))["data-engineering"].at(now).paged
    paged = [p["recipient"] for p in pages if p["recipient"] in on_call]
    assert sorted(paged) == sorted(on_call)
    assert {(p["recipient"], p["severity"]) for p in pages} == {(name, "critical") for name in {*on_call, "engineer-a"}}


def test_a_later_success_resolves_and_says_so(site):
    small_site.BROKEN |= {"bronze/orders": "boom"}
    site.run()
    site.cycle()
    site.cycle(timedelta(seconds=31))
    small_site.BROKEN.clear()
    site.run()
    site.cycle(timedelta(minutes=6))
    ledger = open_ledger(site.settings)
    assert ledger.alerts("open") == []
    assert ("team:ecommerce-data", "bronze/orders was not built", "resolved") in site.told()


def test_failed_warned_and_crashed_checks_are_three_alerts(site):
    small_site.BROKEN |= {"rows_are_positive": "warn"}
    site.run()
    site.cycle()
    small_site.BROKEN |= {"rows_are_positive": "error"}
    site.run()
    site.cycle()
    small_site.BROKEN |= {"check": "no connection"}
    site.run()
    site.cycle()
    rules = [alert.rule for alert in reversed(open_ledger(site.settings).alerts())]
    assert rules[:2] == ["check_warned", "check_failed"]
    assert "check_crashed" in rules
    assert "asset_failure" not in rules


def test_the_same_failure_from_the_log_and_from_the_run_failure_sensor_is_one_signal(site):
    small_site.BROKEN |= {"bronze/orders": "boom"}
    result = site.run()
    site.cycle()
    ledger = open_ledger(site.settings)
    run = site.instance.get_run_by_id(result.run_id)
    signals = signals_of_run(
        site.instance, run, succeeded=False, at=datetime.now(UTC), now=datetime.now(UTC), lineage=site.lineage
    )
    assert len(signals) >= 2
    assert ledger.append(signals) == 0


def test_an_open_alert_shows_on_its_asset_and_goes_green_again(site):
    small_site.BROKEN |= {"bronze/orders": "boom"}
    site.run()
    site.cycle()

    def shown():
        records = site.instance.event_log_storage.get_logs_for_all_runs_by_log_id(
            after_cursor=-1, dagster_event_type=DagsterEventType.ASSET_CHECK_EVALUATION
        )
        found = [r.dagster_event.asset_check_evaluation_data for r in records.values()]
        return [(e.asset_key.to_user_string(), e.passed) for e in found if e.check_name == SHOWN_CHECK]

    assert shown() == [("bronze/orders", False)]
    site.cycle()
    assert shown() == [("bronze/orders", False)]
    small_site.BROKEN.clear()
    site.run()
    site.cycle()
    assert shown() == [("bronze/orders", False), ("bronze/orders", True)]


def test_what_the_dagster_ui_shows_says_what_broke_and_who_works_on_it():
    at = datetime(2026, 3, 4, 15, tzinfo=UTC)
    alerts = [
        Alert(
            number,
            str(number),
            "check_failed",
            "firing",
            "high",
            {},
            at,
            at,
            summary=f"check {number} failed",
            message="row of jane.doe@example.com " + "x" * 900,
            owners=("team:ecommerce-data",),
            acknowledged_at=at if number == 2 else None,
            acknowledged_by="engineer-a",
        )
        for number in (10, 2)
    ]
    shown = evaluation("bronze/orders", alerts)
    assert shown.description == "#2 high: check 2 failed · #10 high: check 10 failed"
    assert list(shown.metadata) == sorted(shown.metadata) == ["alert 02", "alert 10"]
    first, second = (str(value.value) for value in shown.metadata.values())
    assert "acknowledged by engineer-a" in first and "acknowledged" not in second
    assert "jane.doe" not in first and len(first) < 600


def test_a_cycle_that_sees_nothing_new_does_nothing(site):
    site.run()
    site.cycle()
    report = site.cycle()
    assert (report.signals, report.decided, report.queued, report.observer_errors) == (0, 0, 0, {})
