"""`ops watch`: tells when the orchestrator is down, and runs the alert cycle until it is back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from ops_project.cli.cycle import instance_of
from ops_project.cli.output import console
from ops_project.settings import Settings


@click.command()
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds between two looks."
)
@click.option("--looks", type=click.IntRange(min=1), help="Stop after so many looks. Default: go on for ever.")
@click.pass_obj
def watch(settings: Settings, every: float, looks: int | None) -> None:
    """Watch the daemon's heartbeat. Start it beside the daemon, on another machine if the ledger is PostgreSQL."""
    from ops_project.catalog import load as load_catalog
    from ops_project.defs.operations.observers import OBSERVERS
    from ops_project.operations.alerting.watch import Watch

    watcher = Watch(settings, load_catalog(settings), datetime.now(UTC), instance_of(settings), OBSERVERS)
    down = False
    done = 0
    while looks is None or done < looks:
        report = watcher.look(datetime.now(UTC), lambda: datetime.now(UTC))
        if (report is not None) != down:
            down = report is not None
            said = "the orchestrator is down: running the cycle here" if down else "the orchestrator is back"
            console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC {said}")
        done += 1
        if looks is None or done < looks:
            time.sleep(every)
