"""`ops status` never says that the warehouse is free if the warehouse cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from ops_project import catalog
from ops_project.cli import cli
from ops_project.cli.status_words import run_in_words
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.dagster_bridge.runs import open_instance
from ops_project.pipeline.warehouse import closings, snapshots
from ops_project.pipeline.warehouse.closings import Closing
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings
from tests.empty_home import NOW, with_a_snapshot_and_an_alert


@pytest.mark.parametrize("damage", ["gone", "no database"])
def test_a_warehouse_that_cannot_be_used_is_not_called_free(tmp_path: Path, damage: str) -> None:
    settings = Settings(home=tmp_path / "home", as_of=NOW)
    with_a_snapshot_and_an_alert(settings)
    asked = ["--home", str(settings.home), "--as-of", NOW.isoformat(), "status"]
    assert "Warehouse  free" in CliRunner().invoke(cli, asked).output
    if damage == "gone":
        settings.warehouse.unlink()
    else:
        settings.warehouse.write_bytes(b"no database" * 1000)
    said = CliRunner().invoke(cli, asked).output
    assert "Warehouse  free" not in said and "Warehouse  The warehouse" in said


def test_a_run_whose_checks_failed_is_not_called_a_success(tmp_path: Path) -> None:
    """Dagster calls such a run a success, because its steps succeeded."""
    settings = Settings.load(home=tmp_path, environ={})
    dagster_home.ensure(settings)
    with_a_snapshot_and_an_alert(settings)
    with settings.exported(), open_instance(settings) as instance:
        for domain in ("ecommerce", "investor"):
            create_run_for_test(
                instance, job_name=domain, tags={DOMAIN_TAG: domain}, status=DagsterRunStatus("SUCCESS")
            )
    with writer(settings, catalog.load(settings).platform, owner="test", now=NOW) as warehouse:
        snapshots.take(warehouse, run_id="run-2", as_of=NOW, commit="c0ffee", domain="ecommerce", good=False)
    asked = ["--home", str(settings.home), "--as-of", NOW.isoformat(), "status"]
    shown = {line.split()[0]: line for line in CliRunner().invoke(cli, asked).output.splitlines() if line.strip()}
    assert "built, checks failed" in shown["ecommerce"]
    assert "success" in shown["investor"]


@pytest.mark.parametrize(
    ("failed_checks", "state", "words"),
    [
        (0, closings.CLOSED, "success"),
        (1, closings.CLOSED, "built, 1 check failed"),
        (2, closings.CLOSED, "built, 2 checks failed"),
        (2, closings.FAILED, "built, not published"),
        (None, closings.CLOSED, "success"),
    ],
)
def test_status_says_of_a_run_what_the_run_said_of_itself(
    tmp_path: Path, failed_checks: int | None, state: str, words: str
) -> None:
    """A check that does not block makes `ops run` end with 1, and leaves the snapshot good."""
    settings = Settings.load(home=tmp_path, environ={})
    dagster_home.ensure(settings)
    with_a_snapshot_and_an_alert(settings)
    with settings.exported(), open_instance(settings) as instance:
        run = create_run_for_test(
            instance, job_name="shop", tags={DOMAIN_TAG: "ecommerce"}, status=DagsterRunStatus("SUCCESS")
        )
    ended = Closing("shop", run.run_id, "ecommerce", state, NOW.isoformat(), failed_checks=failed_checks)
    closings.note(settings, ended)
    done = CliRunner().invoke(cli, ["--home", str(settings.home), "--as-of", NOW.isoformat(), "status", "--json"])
    last = next(item for item in json.loads(done.stdout)["domains"] if item["domain"] == "ecommerce")["last_run"]
    assert run_in_words({**last, "ended_at": None, "started_at": None}) == words
    assert last["failed_checks"] == failed_checks
