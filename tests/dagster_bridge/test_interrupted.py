"""A run whose process is gone is called interrupted, before the next run has ended it in Dagster."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from ops_project.cli import cli
from ops_project.console.run_history import lanes
from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge import runs, runs_file
from ops_project.dagster_bridge.active_runs import active_runs
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG, PROCESS_TAG, former
from ops_project.process import locks
from ops_project.settings import Settings
from tests.empty_home import NOW

HERE = str(runs.current())
GONE = HERE.replace(str(runs.current().pid), "999999999", 1)
ELSEWHERE = f"{runs.current().boot.partition('.')[0]}.1:7:7"
"""A process of another container of this machine: it is seen neither to run nor to have ended."""
OF_THE_LOCK = locks.Holder(7, "job investor_pipeline", "", NOW.isoformat())


@pytest.mark.parametrize(
    ("status", "tag", "process", "left_the_lock", "state"),
    [
        ("STARTED", PROCESS_TAG, GONE, False, "interrupted"),
        ("STARTED", "ops/process", GONE, False, "interrupted"),
        ("NOT_STARTED", PROCESS_TAG, GONE, False, "interrupted"),
        ("STARTED", PROCESS_TAG, HERE, False, "started"),
        ("STARTED", PROCESS_TAG, ELSEWHERE, False, "started"),
        ("STARTED", PROCESS_TAG, ELSEWHERE, True, "interrupted"),
        ("STARTED", PROCESS_TAG, "another-machine.1:7:7", False, "started"),
        ("STARTED", PROCESS_TAG, "another-machine.1:7:7", True, "interrupted"),
        ("SUCCESS", PROCESS_TAG, GONE, False, "success"),
    ],
    ids=[
        "gone",
        "former tag",
        "at its begin",
        "runs",
        "elsewhere",
        "elsewhere, left the lock",
        "another machine",
        "another machine, left the lock",
        "ended",
    ],
)
def test_the_state_says_whether_the_process_is_gone(
    tmp_path: Path, status: str, tag: str, process: str, left_the_lock: bool, state: str
) -> None:
    settings = Settings.load(home=tmp_path, environ={})
    dagster_home.ensure(settings)
    with settings.exported(), runs.open_instance(settings) as instance:
        tags = {DOMAIN_TAG: "investor", tag: process}
        run = create_run_for_test(
            instance, job_name="investor_pipeline", tags=tags, status=DagsterRunStatus(status)
        ).run_id
        if left_the_lock:
            settings.lock.write_text(json.dumps({**vars(OF_THE_LOCK), "run": run}))
        asked = runs.last_runs(instance, ["investor"], locks.left(settings.lock))
    found = runs_file.read(settings, ["investor"])
    assert found is not None and found.newest["investor"].state == state
    assert asked["investor"].state == state, "Dagster, where it keeps the runs elsewhere, says the same"
    [recent] = runs_file.recent(settings, NOW - timedelta(days=36_500)) or []
    assert recent.state == state
    said = CliRunner().invoke(cli, ["--home", str(tmp_path), "status", "--domain", "investor"]).output
    assert state in said


def test_the_bar_of_an_interrupted_run_is_wrong_and_does_not_grow() -> None:
    run = runs_file.RecentRun("r1", "investor_pipeline", runs_file.INTERRUPTED, NOW, None, "investor")
    widths = set()
    for hours in (1, 9):
        [lane] = lanes([run], NOW - timedelta(hours=24 - hours), NOW + timedelta(hours=hours))
        [bar] = lane.bars
        assert (bar.state, lane.failed) == ("wrong", 1)
        widths.add(bar.width)
    assert len(widths) == 1


@pytest.mark.parametrize("tag", [PROCESS_TAG, former(PROCESS_TAG)])
def test_a_run_that_was_executed_again_is_judged_by_its_own_process(tmp_path: Path, tag: str) -> None:
    """Dagster's UI gives the new run a copy of the tags of the old one."""
    settings = Settings.load(home=tmp_path, environ={})
    dagster_home.ensure(settings)
    with settings.exported(), runs.open_instance(settings) as instance:
        tags = {DOMAIN_TAG: "investor", tag: GONE}
        parent = create_run_for_test(instance, tags=tags, status=DagsterRunStatus.FAILURE).run_id
        again = create_run_for_test(
            instance, tags={**tags, "dagster/parent_run_id": parent}, status=DagsterRunStatus.STARTING
        ).run_id

        def states() -> set[str]:
            read = runs_file.read(settings, ["investor"])
            recent = runs_file.recent(settings, NOW - timedelta(days=36_500))
            assert read is not None and recent is not None
            asked = runs.last_runs(instance, ["investor"])["investor"]
            return {read.newest["investor"].state, recent[0].state, asked.state}

        assert states() == {"starting"}
        assert runs.mark_dead_runs(instance, NOW) == [], "its process has not begun"
        [active] = active_runs(instance)
        assert active.process == ""
        instance.add_run_tags(again, {PROCESS_TAG: GONE.replace("999999999", "999999998")})
        assert states() == {"interrupted"}
        assert len(runs.mark_dead_runs(instance, NOW)) == 1
