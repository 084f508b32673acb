"""Runs in Dagster's own queue, under a real daemon, while others are started by hand and one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops_project.dagster_bridge import home as dagster_home
from ops_project.dagster_bridge.runs import open_instance
from ops_project.settings import PROJECT_ROOT, Settings
from tests.scenarios import homes

BIN = Path(sys.executable).parent
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("queued", [int(os.environ.get("OPS_SOAK_QUEUED", "50"))])
def test_queued_runs_and_five_by_hand_all_end_without_a_lock_error(tmp_path: Path, queued: int) -> None:
    settings = homes.simulate(tmp_path / "home")
    dagster_home.ensure(settings)
    environment = {**os.environ, **settings.environ()}
    workspace = str(PROJECT_ROOT / "workspace.yaml")
    with settings.exported(), open_instance(settings):
        pass
    log = (tmp_path / "daemon.log").open("w")
    daemon = subprocess.Popen(
        [BIN / "dagster-daemon", "run", "-w", workspace],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        run_ids = _submit(settings, workspace, queued)
        by_hand = [
            subprocess.Popen(
                [sys.executable, "-m", "ops_project.cli", "run", "--domain", "ecommerce"],
                cwd=PROJECT_ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(5)
        ]
        time.sleep(8)
        by_hand[0].kill()
        outputs = [process.communicate(timeout=3000)[0] for process in by_hand]
        states = _wait_for(settings, run_ids)
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
        log.close()
    assert set(states.values()) == {"SUCCESS"}, states
    assert [process.returncode for process in by_hand[1:]] == [0] * 4, outputs
    everything = "\n".join(outputs) + (tmp_path / "daemon.log").read_text(errors="replace")
    assert "Could not set lock" not in everything and "database is locked" not in everything


def _submit(settings: Settings, workspace: str, count: int) -> list[str]:
    """Put `count` runs of the main job into the queue, as the UI's launch button does."""
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    tags = {
        "dagster/asset_partition_range_start": "2026-03-01",
        "dagster/asset_partition_range_end": "2026-03-03",
        "ops/mode": "arrived",
    }
    run_ids = []
    with (
        settings.exported(),
        open_instance(settings) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([workspace])) as process,
    ):
        context = process.create_request_context()
        location = context.code_locations[0]
        repository = next(iter(location.get_repositories().values()))
        job = repository.get_full_job("master_pipeline")
        plan = location.get_execution_plan(job, run_config={}, step_keys_to_execute=None, known_state=None)
        for _ in range(count):
            run = instance.create_run(
                job_name=job.name,
                run_id=None,
                run_config={},
                status=None,
                tags={**job.tags, **tags},
                root_run_id=None,
                parent_run_id=None,
                step_keys_to_execute=None,
                execution_plan_snapshot=plan.execution_plan_snapshot,
                job_snapshot=job.job_snapshot,
                parent_job_snapshot=None,
                asset_selection=None,
                asset_check_selection=None,
                resolved_op_selection=None,
                op_selection=None,
                remote_job_origin=job.get_remote_origin(),
                job_code_origin=job.get_python_origin(),
                asset_graph=repository.asset_graph,
            )
            instance.submit_run(run.run_id, context)
            run_ids.append(run.run_id)
    return run_ids


def _wait_for(settings: Settings, run_ids: list[str]) -> dict[str, str]:
    states: dict[str, str] = {}
    with settings.exported(), open_instance(settings) as instance:
        deadline = time.monotonic() + 3000
        while time.monotonic() < deadline:
            states = {run: instance.get_run_by_id(run).status.value for run in run_ids}
            if set(states.values()) <= FINISHED:
                break
            time.sleep(2)
    return states
