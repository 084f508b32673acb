"""A damaged archived file: `ops archive verify` and the nightly job find it, an alert says so, and it closes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from ops_project import catalog
from ops_project.cli import cli
from ops_project.defs.operations.archive_job import JOB, archive_definitions
from ops_project.defs.shared.site import Site
from ops_project.operations.ledger import open_ledger
from ops_project.pipeline import landing
from ops_project.pipeline.dbt_engine.manifest import DbtManifest
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
POLICIES = "policy_id,customer_id,premium_amount\n"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home with one archived file of the insurance domain. The file may be rejected; it is archived in any case."""
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    loaded = catalog.load(settings)
    feed = loaded.feeds_of("insurance")[0]
    (settings.inbound / "insurance").mkdir(parents=True)
    (settings.inbound / "insurance" / "policies_20260303.csv").write_text(POLICIES, encoding="utf-8")
    (settings.inbound / "insurance" / "policies_20260303.ctl").write_text("0\n", encoding="utf-8")
    with writer(settings, loaded.platform, owner="test", now=NOW) as held:
        landing.ensure_tables(held.connection(), [feed])
        found = landing.land(held.connection(), feed, inbound=settings.inbound, archive=settings.archive, now=NOW)
        assert [batch.status for batch in found.batches] == ["rejected"]
        snapshots.take(held, run_id="run-1", as_of=NOW, commit="c0ffee")
    return settings


def archived(settings: Settings) -> Path:
    [path] = settings.archive.rglob("*.csv")
    return path


def ops(settings: Settings, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", NOW.isoformat(), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def alerts(settings: Settings) -> list[tuple[str, str]]:
    return [(alert.rule, alert.severity) for alert in open_ledger(settings).alerts("open", limit=100)]


def test_verify_opens_an_alert_with_its_owner_and_closes_it(home: Settings) -> None:
    code, said = ops(home, "archive", "verify")
    assert (code, alerts(home)) == (0, [])
    assert "1 of 1 archived file compared: 1 as archived" in said
    path = archived(home)
    kept = path.read_bytes()
    path.unlink()
    code, said = ops(home, "archive", "verify", "--feed", "policies")
    assert code == 1
    assert "is missing" in said and "archive-damaged" in said
    (alert,) = open_ledger(home).alerts("open", limit=100)
    assert (alert.rule, alert.severity, alert.labels["domain"]) == ("archive_damaged", "high", "insurance")
    assert alert.owners == ("team:insurance-data",)
    assert path.name in str(alert)
    path.write_bytes(kept)
    code, said = ops(home, "archive", "verify")
    assert (code, alerts(home)) == (0, [])
    assert "No longer damaged" in said


def test_a_feed_that_does_not_exist_is_refused(home: Settings) -> None:
    code, said = ops(home, "archive", "verify", "--feed", "polices")
    assert code == 2
    assert "there is no feed 'polices'; valid: " in said
    assert ops(home, "archive", "verify", "--feed", "policies", "--share")[0] == 2


def test_the_nightly_job_compares_a_share_and_says_what_it_found(home: Settings) -> None:
    archived(home).unlink()
    site = Site(home, catalog.load(home), DbtManifest({}, Path()))
    defs = archive_definitions(site)
    [schedule] = defs.get_repository_def().schedule_defs
    assert (schedule.job_name, schedule.cron_schedule, schedule.execution_timezone) == (
        JOB,
        "0 5 * * *",
        "America/New_York",
    )
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert defs.resolve_job_def(JOB).execute_in_process().success
    assert ops(home, "cycle")[0] == 0
    assert ("archive_damaged", "high") in alerts(home)
    code, said = ops(home, "archive", "verify", "--share")
    assert (code, "compared already" in said) == (0, True)
