"""Makes each report when its period has ended, and sends it to its readers.

The report is made in another process, so that the daemon does not keep its memory.

A sensor makes the reports, not a job. If a report cannot be made, the tick fails, which raises an alert. A failed job
would page a person, as a failed nightly run does.
"""

from __future__ import annotations

import subprocess
import sys

import dagster as dg

from ops_project.defs.shared.site import Site
from ops_project.settings import Settings

EVERY_SECONDS = 1800
LIMIT_SECONDS = 50
"""The time limit of the process. Dagster ends a tick after a minute."""
SAID = 2000


class ReportFailed(RuntimeError):
    """`ops report due --send` failed or took too long. The message says why."""


def report_sensor(site: Site) -> dg.SensorDefinition:
    """The sensor, which is switched on by default."""

    @dg.sensor(
        name="reports",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Draws up each report when its period has ended, and sends it to its readers.",
    )
    def reports(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(draw(site.settings))

    return reports


def draw(settings: Settings) -> str:
    """Runs `ops report due --send`, and returns the end of its output. Raises ReportFailed."""
    command = [sys.executable, "-m", "ops_project.cli", *settings.options(), "report", "due", "--send"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReportFailed(f"it took longer than {LIMIT_SECONDS} s; `ops report due` says more") from None
    if done.returncode != 0:
        raise ReportFailed(done.stderr.decode("utf-8", "replace").strip()[-SAID:])
    return done.stdout.decode("utf-8", "replace").strip()[-SAID:]
