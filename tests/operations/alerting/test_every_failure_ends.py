"""Dagster runs begin and end alerts: steps that build nothing, checks of one partition, runs that were terminated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from ops_project import catalog
from ops_project.dagster_bridge import home as dagster_home
from ops_project.lineage import Lineage
from ops_project.model.alerting.alert import Alert
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.alerting.observers.registry import OBSERVERS
from ops_project.operations.ledger import open_ledger
from ops_project.settings import Settings

BROKEN: set[str] = set()
SCHEDULED = {"dagster/schedule_name": "nightly"}
DAYS = dg.StaticPartitionsDefinition(["2026-03-01", "2026-03-02"])


@dg.op
def sends_the_report() -> None:
    if "step" in BROKEN:
        raise ValueError("no paper")


@dg.op
def cleans_up() -> None:
    if "other step" in BROKEN:
        raise ValueError("no broom")


@dg.job(executor_def=dg.in_process_executor)
def report_pipeline() -> None:
    sends_the_report()
    cleans_up()


@dg.asset(key=["gold", "t"], partitions_def=DAYS)
def table() -> None:
    pass


@dg.asset_check(asset=table, name="totals")
def totals() -> dg.AssetCheckResult:
    if "check" in BROKEN:
        raise RuntimeError("no connection")
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=table, name="daily_totals", partitions_def=DAYS)
def daily_totals() -> dg.AssetCheckResult:
    if "daily check" in BROKEN:
        raise RuntimeError("no connection")
    return dg.AssetCheckResult(passed=True)


class Site:
    def __init__(self, settings, instance):
        self.settings, self.instance = settings, instance
        self.catalog = catalog.load(self.settings)
        self.ledger = open_ledger(self.settings)

    def cycle(self) -> list[Alert]:
        """The alerts that are open after everything that Dagster logged so far."""
        now = datetime.now(UTC) + timedelta(seconds=1)
        wanted = [o for o in OBSERVERS if o.name == "events"]
        report = run_once(
            self.settings, self.catalog, now, self.instance, lineage=Lineage(), observers=wanted, flush_now=True
        )
        assert report.observer_errors == {}
        return self.ledger.alerts("open")


@pytest.fixture
def site(tmp_path):
    BROKEN.clear()
    settings = Settings.load(home=tmp_path / "home")
    dagster_home.ensure(settings)
    with settings.exported(), dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        yield Site(settings, instance)


def _report(site: Site) -> list[str]:
    report_pipeline.execute_in_process(instance=site.instance, raise_on_error=False)
    return sorted(a.labels["check"] for a in site.cycle() if a.rule == "step_failure")


def test_a_step_that_builds_nothing_ends_its_alert_when_it_comes_through(site):
    BROKEN.add("step")
    assert _report(site) == ["sends_the_report"]
    # The ok of a step counts even if the run fails at another step, and it is not an ok for that other step.
    BROKEN.clear()
    BROKEN.add("other step")
    assert _report(site) == ["cleans_up"]
    BROKEN.clear()
    assert _report(site) == []
    assert site.ledger.alerts("open") == []


def _build(site: Site, day: str) -> set[tuple[str, str]]:
    definitions = dg.Definitions(assets=[table], asset_checks=[totals, daily_totals])
    job = definitions.resolve_implicit_global_asset_job_def()
    job.execute_in_process(instance=site.instance, partition_key=day, raise_on_error=False)
    return {(a.labels["check"], a.labels.get("partition", "")) for a in site.cycle() if a.rule == "check_crashed"}


def test_a_crashed_check_of_a_partitioned_table_ends_when_it_says_something(site):
    """Dagster evaluates a check without partitions of its own on the table, whichever partition the run is of."""
    BROKEN.add("check")
    assert _build(site, "2026-03-01") == {("totals", "")}
    BROKEN.clear()
    assert _build(site, "2026-03-01") == set()


def test_a_crashed_check_of_one_partition_ends_with_that_partition(site):
    BROKEN.add("daily check")
    assert _build(site, "2026-03-01") == {("daily_totals", "2026-03-01")}
    BROKEN.clear()
    assert _build(site, "2026-03-02") == {("daily_totals", "2026-03-01")}, "another day says nothing of this one"
    assert _build(site, "2026-03-01") == set()


def _terminate(site: Site, tags: dict[str, str]) -> None:
    run = site.instance.create_run_for_job(report_pipeline, tags=tags)
    site.instance.report_run_canceling(run)
    site.instance.report_run_canceled(run)


def test_a_scheduled_run_that_was_terminated_is_a_failure_until_a_run_succeeds(site):
    _terminate(site, SCHEDULED)
    [alert] = site.cycle()
    assert (alert.rule, alert.labels["pipeline"]) == ("job_failure", "report_pipeline")
    assert "terminated" in alert.message
    assert _report(site) == [] and site.ledger.alerts("open") == []


def test_a_run_that_its_starter_terminated_is_told_to_nobody(site):
    _terminate(site, {})
    assert site.cycle() == []
