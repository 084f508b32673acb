"""`ops cycle`: runs the alert cycle once, without a daemon."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from ops_project.cli.faults import in_words
from ops_project.cli.ledger_lost import tell_ledger_back, tell_without_ledger
from ops_project.cli.output import console, emit, json_option
from ops_project.cli.run_alerts import together
from ops_project.counted import counted
from ops_project.settings import Settings


def instance_of(settings: Settings) -> Any:
    """Dagster's instance of this home. None if no run has ever started in this home; `OutOfReach` if Dagster's storage
    cannot be used. In both cases alerts are still sent.
    """
    if not os.path.lexists(settings.dagster_home / "dagster.yaml"):
        return None
    from ops_project.dagster_bridge.runs import open_instance
    from ops_project.dagster_bridge.storage_errors import OutOfReach, StorageUnusable

    try:
        return open_instance(settings)
    except StorageUnusable as error:
        return OutOfReach(error)


@click.command()
@click.option(
    "--now/--wait", "flush_now", default=True, help="Send at once, or after each group's wait as a daemon does."
)
@click.option(
    "--take-over", is_flag=True, help="Decide with this command's configuration, and record it as the valid one."
)
@json_option
@click.pass_obj
def cycle(settings: Settings, flush_now: bool, take_over: bool, as_json: bool) -> None:
    """Observe, decide, record and notify, once.

    If a daemon or `ops watch` decides about alerts, this command only stores what it observes. If neither is alive, the
    command decides with the configuration of the process that decided last. If the command cannot decide, it says so.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.dagster_bridge.storage_errors import OutOfReach
    from ops_project.defs.operations.evidence import sources_of
    from ops_project.defs.operations.observers import observers_of
    from ops_project.operations.alerting.cycle import run_once
    from ops_project.operations.ledger.damage import cause_in_ledger

    catalog = load_catalog(settings)
    instance = instance_of(settings)
    try:
        report = run_once(
            settings,
            catalog,
            settings.now(),
            instance,
            clock=lambda: datetime.now(UTC),
            observers=observers_of(settings),
            evidence=sources_of(settings),
            flush_now=flush_now,
            take_over=take_over,
        )
    except Exception as error:
        if cause_in_ledger(error, settings.ledger_url) is None:
            raise
        tell_without_ledger(settings, in_words(error, settings))
        raise click.exceptions.Exit(1) from None
    tell_ledger_back(settings)

    def render() -> None:
        if report.skipped:
            console.print(
                f"{report.skipped}; {counted(report.signals, 'new signal was', 'new signals were')} stored here",
                markup=False,
                soft_wrap=True,
            )
            return
        if report.decided_by:
            console.print(report.decided_by, markup=False, soft_wrap=True)
        console.print(
            f"{counted(report.signals, 'new signal')}; {counted(len(report.fired), 'alert')} fired, "
            f"{len(report.resolved)} resolved; "
            f"{counted(report.delivery.delivered, 'message')} delivered, "
            f"{report.delivery.failed + report.delivery.dead} failed, "
            f"{report.delivery.postponed} postponed; {report.seconds:.2f} s"
        )
        for names, words in together({**report.observer_errors, **report.delivery.errors}):
            console.print(f"{names}: {words}", markup=False, soft_wrap=True)
        for name, words in report.waiting.items():
            console.print(f"{name}: messages wait, {words} in this process", markup=False, soft_wrap=True)

    emit(as_json, asdict(report), render)
    if isinstance(instance, OutOfReach):
        raise click.ClickException(str(instance))
