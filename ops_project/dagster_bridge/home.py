"""Dagster's home: its dagster.yaml, and the files of Dagster in it. dagster.yaml is written only once, so that a user's
changes are never overwritten.
"""

from __future__ import annotations

from ops_project.settings import Settings

DAGSTER_YAML = """\
# Written on first use and never overwritten, so you may change it.
telemetry: {enabled: false}
nux: {enabled: false}
# Only one process may write. The queue starts one run at a time; the lock of the home stops runs started by hand.
concurrency:
  runs: {max_concurrent_runs: 1}
run_monitoring: {enabled: true, poll_interval_seconds: 5, start_timeout_seconds: 120}
# A step is tried again if its failure class allows it. A whole run is never tried again.
run_retries: {enabled: true, max_retries: 0, retry_on_asset_or_op_failure: false}
# All events are stored in any case. Without this line the terminal of the UI shows every event of every run.
python_logs: {python_log_level: INFO}
retention:
  sensor: {purge_after_days: {skipped: 1, success: 30, failure: 90}}
  schedule: {purge_after_days: 90}
# The same files and tables as Dagster's own storage, but connections stay open and not every event waits for the disk.
storage:
  custom:
    module: ops_project.dagster_bridge.storage
    class: Storage
    config: {base_dir: {env: DAGSTER_HOME}}
# Steps log to the event log and to logs/ in the home. Capturing their output would cost a process for each step.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def ensure(settings: Settings) -> None:
    """Make Dagster's home and its dagster.yaml if they are missing."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    file = settings.dagster_home / "dagster.yaml"
    try:
        with file.open("x", encoding="utf-8") as writer:
            writer.write(DAGSTER_YAML)
    except FileExistsError:
        return
