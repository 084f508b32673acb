"""`ops cycle`: the alert cycle once, without a daemon."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from ops_project.cli.output import console, emit, json_option
from ops_project.settings import Settings


def instance_of(settings: Settings) -> Any:
    """Dagster's instance of this home, or None where nothing ever ran."""
    if not (settings.dagster_home / "dagster.yaml").exists():
        return None
    import dagster as dg

    return dg.DagsterInstance.get()


@click.command()
@click.option(
    "--now/--wait", "flush_now", default=True, help="Tell at once, or after each group's wait as a daemon would."
)
@json_option
@click.pass_obj
def cycle(settings: Settings, flush_now: bool, as_json: bool) -> None:
    """Observe, decide, record and notify, once. Where a daemon runs, the cycle is its own."""
    from ops_project.catalog import load as load_catalog
    from ops_project.defs.operations.observers import OBSERVERS
    from ops_project.operations.alerting.cycle import CycleReport, daemon_beats, run_once
    from ops_project.operations.ledger import open_ledger

    if daemon_beats(open_ledger(settings), datetime.now(UTC)):
        # It has the secrets and the overlay; this shell may have neither.
        report = CycleReport(skipped="the daemon runs the cycle; its next one follows within seconds")
    else:
        report = run_once(
            settings,
            load_catalog(settings),
            settings.now(),
            instance_of(settings),
            clock=lambda: datetime.now(UTC),
            observers=OBSERVERS,
            flush_now=flush_now,
        )

    def render() -> None:
        if report.skipped:
            console.print(report.skipped)
            return
        console.print(
            f"{report.signals} new signals; {len(report.fired)} alerts fired, {len(report.resolved)} resolved; "
            f"{report.delivery.delivered} messages delivered, {report.delivery.failed + report.delivery.dead} failed, "
            f"{report.delivery.postponed} postponed; {report.seconds:.2f} s"
        )
        for name, words in {**report.observer_errors, **report.delivery.errors}.items():
            console.print(f"{name}: {words}", markup=False)

    emit(as_json, asdict(report), render)
