"""The models in operation: the command, the schedules, the faults, and what other commands need not load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result
from dagster._utils.schedules import schedule_execution_time_iterator

from ops_project.cli import cli
from ops_project.pipeline.learning.registry import Registry
from ops_project.pipeline.learning.scoring import score
from ops_project.settings import Settings
from ops_project.simulator.faults import models as faults
from tests.pipeline.learning.conftest import trained_in
from tests.pipeline.learning.shop import findings, scoring

ZONE = ZoneInfo("America/New_York")


@pytest.fixture
def home(tmp_path: Path, churn_trained: Path) -> Iterator[Settings]:
    settings = Settings.load(home=tmp_path / "home", environ={})
    trained_in(settings.models, churn_trained)
    with settings.exported():
        yield settings


def registry_of(settings: Settings) -> Registry:
    return Registry(settings.models, f"sqlite:///{settings.models / 'mlflow.db'}")


def call(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(settings.home), "model", *arguments])


def answer(settings: Settings, *arguments: str) -> Any:
    result = call(settings, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_list_show_promote_and_roll_back(home: Settings) -> None:
    registry = registry_of(home)
    loaded = registry.serving("churn")
    assert loaded is not None
    second = {**loaded.model, "intercept": 0.5}
    registry.register("churn", second, metrics={"auc": 0.7}, parameters={"rows": 5}, tags={"as_of": "2026-03-29"})
    assert [(v["version"], v["status"]) for v in answer(home, "list")] == [("2", "candidate"), ("1", "serving")]
    shown = answer(home, "show", "churn")
    assert (shown["version"], shown["status"]) == ("1", "serving")
    assert shown["metrics"]["log_loss"] < shown["metrics"]["plain_log_loss"]
    assert shown["parameters"]["data_fingerprint"]
    assert answer(home, "promote", "churn", "2") == {"model": "churn", "serving": "2"}
    assert [(v["version"], v["status"]) for v in answer(home, "list")] == [("2", "serving"), ("1", "promoted")]
    assert answer(home, "rollback", "churn") == {"model": "churn", "serving": "1"}
    assert registry_of(home).serving("churn") == loaded


def test_mistakes_are_answered_with_what_is_valid(home: Settings) -> None:
    for arguments, said in (
        (("promote", "churn", "9"), "no version 9; valid: 1"),
        (("show", "churn", "--version", "9"), "no version 9; valid: 1"),
        (("rollback", "churn"), "no earlier version"),
        (("show", "chrun"), "is not one of"),
    ):
        result = call(home, *arguments)
        assert result.exit_code != 0
        assert said in result.output


def test_a_home_without_models_says_so(tmp_path: Path) -> None:
    empty = Settings.load(home=tmp_path / "empty", environ={})
    empty.home.mkdir()
    assert answer(empty, "list") == []
    assert "No model yet" in call(empty, "list").output
    assert not empty.models.exists()


@pytest.mark.parametrize("damage", [faults.remove_file, faults.change_library])
def test_an_injected_fault_of_the_registry_is_a_finding(
    home: Settings, trained_shop: duckdb.DuckDBPyConnection, damage: Any
) -> None:
    registry = registry_of(home)
    before = score(scoring(trained_shop, registry), "churn")
    damage(home)
    after = score(scoring(trained_shop, registry), "churn")
    assert (before.rows is not None, after.rows) == (True, None)
    [(kind, asset, _)] = findings(trained_shop)
    assert (kind, asset) == ("mart_build_failure", "gold/customer_churn_predictions")


def test_other_commands_import_neither_mlflow_nor_scikit_learn() -> None:
    code = (
        "import sys, importlib, pkgutil, ops_project.cli as cli\n"
        "for module in pkgutil.iter_modules(cli.__path__):\n"
        "    if module.name != '__main__': importlib.import_module(f'ops_project.cli.{module.name}')\n"
        "import ops_project.pipeline.learning.scoring, ops_project.pipeline.learning.training\n"
        "print(sorted({'mlflow', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_weekly_schedules_are_right_on_both_clock_changes() -> None:
    from ops_project.defs.ecommerce import learning
    from ops_project.defs.shared.site import Site

    weekly = learning.weekly(Site.load(Settings.load(environ={})))
    crons = {schedule.name: schedule for schedule in weekly.schedules or ()}
    for name, hour in (("product_recommendations_schedule", 3), ("model_retraining_schedule", 4)):
        schedule = crons[name]
        assert isinstance(schedule, dg.ScheduleDefinition)
        assert (schedule.cron_schedule, schedule.execution_timezone) == (f"0 {hour} * * 0", "America/New_York")
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
        for sunday in (date(2026, 3, 8), date(2026, 11, 1)):
            midnight = datetime.combine(sunday, time(), ZONE)
            ticks = schedule_execution_time_iterator(
                midnight.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone, ascending=True
            )
            first, second = (next(ticks).astimezone(ZONE) for _ in range(2))
            assert (first.date(), first.time()) == (sunday, time(hour))
            assert (second - first).days == 7


def test_the_checks_of_a_model_run_on_nights_on_which_another_is_not_built(tmp_path: Path) -> None:
    """Recommendations are left out of six nights in seven; Dagster skips every step below what was left out."""
    from ops_project.defs.ecommerce import learning
    from ops_project.defs.shared.site import Site

    steps = [item for item in learning.nightly(Site.load(Settings(home=tmp_path))) if item.check_keys]
    assert {tuple(sorted({key.asset_key.path[-1] for key in step.check_keys})) for step in steps} == {
        ("customer_churn_predictions",),
        ("customer_segments",),
        ("product_recommendations",),
    }
