"""`ops ui`: the Dagster UI and its daemon on this home."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ops_project.settings import PROJECT_ROOT, Settings

DEFAULT_PORT = 3000


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="Where it listens."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="0.0.0.0 opens it to the network; it has no login."
)
@click.pass_obj
def ui(settings: Settings, port: int, host: str) -> None:
    """Open the Dagster UI, with the daemon that runs schedules and sensors, until Ctrl-C."""
    from ops_project.catalog import load as load_catalog
    from ops_project.runtime import dagster_home, dbt_manifest

    load_catalog(settings)  # a mistake is told here in lines, not by a code location that fails to load
    dagster_home.ensure(settings)
    dbt_manifest.load()
    for line in _repair(settings):
        click.echo(line, err=True)
    command = Path(sys.executable).with_name("dagster")
    click.echo(f"Dagster UI: http://{host}:{port}  (home {settings.home}; Ctrl-C ends it)")
    os.chdir(PROJECT_ROOT)
    sys.stdout.flush()
    # This process becomes Dagster's: Ctrl-C and signals of a supervisor reach it directly.
    os.execv(
        command,
        [str(command), "dev", "--workspace", str(PROJECT_ROOT / "workspace.yaml"), "--host", host, "--port", str(port),
         "--log-level", "warning"],
    )  # fmt: skip


def _repair(settings: Settings) -> list[str]:
    from ops_project.runtime import dagster_bridge_runs, locks, repair

    with dagster_bridge_runs.open_instance(settings) as instance:
        done = dagster_bridge_runs.mark_dead_runs(instance, settings.now())
    try:
        with locks.hold(settings.lock, owner="ops ui, start-up repair", now=settings.now(), timeout=0):
            done += repair.remove_leftovers(settings)
    except locks.LockTimeout:
        pass  # somebody writes: then nothing is left over
    return done
