"""A run is skipped only if the newest run of the domain is the one that was recorded as good."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from ops_project import catalog
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge import runs_file as dagster_runs_file
from ops_project.dagster_bridge.runs import DOMAIN_TAG, last_runs, open_instance
from ops_project.defs.shared import unchanged
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings

NOW = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)
OK = DagsterRunStatus.SUCCESS


@pytest.fixture
def home(tmp_path, monkeypatch):
    settings = Settings.load(home=tmp_path, environ={})
    dagster_home.ensure(settings)
    for file in (settings.warehouse, settings.snapshots / "000001-a" / "manifest.json"):
        file.parent.mkdir(parents=True)
        file.write_text('{"as_of": "2026-11-20T12:00:00+00:00", "tables": {}}')
    (settings.archive / "insurance").mkdir(parents=True)
    with settings.exported(), open_instance(settings) as instance:
        yield settings, catalog.load(settings), instance


def run(settings: Settings, instance: dg.DagsterInstance, domain: str, status: DagsterRunStatus = OK) -> str:
    return create_run_for_test(instance, job_name=f"{domain}_pipeline", tags={DOMAIN_TAG: domain}, status=status).run_id


def quiet(home, now=NOW):
    settings, loaded, _ = home
    return unchanged.quiet_domains(settings, loaded, ["insurance"], now)


def good(home):
    settings, _, instance = home
    unchanged.remember(settings, "insurance", NOW, run(settings, instance, "insurance"))


def test_a_run_that_would_only_repeat_the_last_one_is_skipped(home):
    good(home)
    run(home[0], home[2], "investor")
    assert quiet(home) == {"insurance": unchanged.NOTHING_NEW}


@pytest.mark.parametrize("status", [DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS])
def test_a_later_run_is_not_passed_over(home, status):
    good(home)
    run(home[0], home[2], "insurance", status)
    assert quiet(home) is None


def test_a_run_that_was_killed_is_looked_at_whatever_its_domain(home):
    good(home)
    run(home[0], home[2], "investor", DagsterRunStatus.STARTED)
    assert quiet(home) is None


def test_what_the_clock_may_bring_is_looked_for_when_an_hour_has_passed(home):
    good(home)
    assert quiet(home, NOW + timedelta(minutes=49)) is not None
    assert quiet(home, NOW + timedelta(hours=1)) is None


def test_a_file_that_waits_is_something_new(home):
    good(home)
    folder = home[0].inbound / "insurance"
    folder.mkdir(parents=True)
    (folder / "policies_20261119.csv").write_text("")
    assert quiet(home) is None


def test_a_verdict_on_dates_is_something_new_and_one_on_none_is_not(home):
    settings = home[0]
    with Ledger.open(settings.ledger_url) as ledger:
        for key, dates in (("a", "2026-11-18"), ("b", "")):
            fired = Signal(
                "quality.anomalies", FIRING, NOW, NOW, key, 1.0, asset=f"gold/{key}", labels={"dates": dates}
            )
            ledger.append([fired])
    run_once(settings, home[1], NOW, observers=())
    with Ledger.open(settings.ledger_url) as ledger:
        number = {alert.labels["asset"]: alert.number for alert in ledger.alerts("open")}
        good(home)
        ledger.give_verdict(number["gold/b"], "false-positive", "a fair", "engineer-a", NOW)
        assert quiet(home) is not None
        ledger.give_verdict(number["gold/a"], "false-positive", "a fair", "engineer-a", NOW)
    assert quiet(home) is None
    good(home)
    assert quiet(home) is not None


def test_a_domain_that_was_never_fed_is_not_in_use(home):
    (home[0].archive / "insurance").rmdir()
    assert quiet(home) == {"insurance": unchanged.NO_FILES}


def test_dates_and_tables_of_a_domain_that_was_never_fed_are_not_built_either(home):
    settings, loaded, instance = home

    def asked():
        return unchanged.quiet_domains(settings, loaded, ["insurance"], NOW, plain=False)

    assert asked() is None, "a domain that has files is built again"
    (settings.archive / "insurance").rmdir()
    assert asked() == {"insurance": unchanged.NO_FILES}
    run(settings, instance, "insurance")
    assert asked() is None, "where a run has been there may be tables, whatever became of the archive"


def test_the_file_says_of_runs_what_dagster_says(home):
    settings, _, instance = home
    for domain in ("insurance", "investor", "insurance"):
        run(settings, instance, domain)
    domains = ["insurance", "investor", "streaming"]
    found = dagster_runs_file.read(settings, domains)
    assert found is not None
    assert found.newest == last_runs(instance, domains)
    assert not found.unfinished


def test_where_runs_are_kept_elsewhere_dagster_is_asked(home):
    settings, _, _ = home
    (settings.dagster_home / "dagster.yaml").write_text("storage: {postgres: {postgres_url: {env: URL}}}\n")
    assert dagster_runs_file.read(settings, ["insurance"]) is None
    assert quiet(home) is None


def test_the_look_does_not_import_dagster():
    modules = "ops_project.defs.shared.unchanged, ops_project.defs.shared.domain_run, ops_project.cli.status"
    code = f"import sys, {modules}; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_warehouse_that_was_written_to_outside_of_any_run_is_looked_at(home):
    good(home)
    settings = home[0]
    later = settings.warehouse.stat().st_mtime + 60
    os.utime(settings.warehouse, (later, later))
    assert quiet(home) is None
