"""`ops watch`: report when the orchestrator is down, and run the alert cycle until it is back."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ops_project.cli.cycle import instance_of
from ops_project.cli.faults import in_words
from ops_project.cli.numbers import COUNT, SECONDS
from ops_project.cli.output import console
from ops_project.dagster_bridge.storage_errors import OutOfReach
from ops_project.process.time_limit import NotAnswered, within
from ops_project.settings import Settings

if TYPE_CHECKING:
    from ops_project.operations.alerting.stages.under_way import CycleReport
    from ops_project.operations.alerting.watch import Watch

# A cycle takes less time than this, even if it sends many messages.
LONGEST_SECONDS = 120.0
CANNOT = "cannot decide"
"""A cycle uses these words if the recorded configuration cannot be used."""


@click.command()
@click.option("--every", type=SECONDS, default=5.0, show_default=True, help="Seconds between two checks.")
@click.option("--looks", type=COUNT, help="Stop after this many checks. Default: never stop.")
@click.pass_obj
def watch(settings: Settings, every: float, looks: int | None) -> None:
    """Watch the heartbeat of the daemon. Start this command beside the daemon; if the ledger is PostgreSQL, start it on
    another machine.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.cli.stopping import record_end
    from ops_project.defs.operations.observers import observers_of
    from ops_project.failures import Unusable
    from ops_project.operations.alerting import authority
    from ops_project.operations.alerting.watch import Watch
    from ops_project.operations.ledger.damage import cause_in_ledger

    since, catalog = datetime.now(UTC), load_catalog(settings)
    watcher: Watch | None = None
    down, cannot, trouble, unseen, done = False, "", "", "", 0
    try:
        while looks is None or done < looks:
            try:
                # Opening Dagster's storage may fail too. A watcher that starts at such a time must not end.
                watcher = watcher or Watch(settings, catalog, since, instance_of(settings), observers_of(settings))
                if isinstance(watcher.instance, OutOfReach):
                    unseen = _unseen(watcher, settings, unseen)
                report = _look(watcher, LONGEST_SECONDS)
            except Exception as error:
                # For an error of a store, there is a message that names the store and the next step.
                known = isinstance(error, Unusable) or cause_in_ledger(error, settings.ledger_url) is not None
                words = (
                    in_words(error, settings) if known else f"{type(error).__name__}: {error}".strip().splitlines()[0]
                )
                if words != trouble:
                    _say(f"the check failed: {words}; trying again every {every:g} s")
                trouble = words
            else:
                if trouble:
                    _say("checking again")
                    trouble = ""
                if (report is not None) != down:
                    down, cannot = report is not None, ""
                    if not down:
                        _say("the orchestrator is back")
                if report is not None and (words := _why_not(report) or "running the cycle here") != cannot:
                    cannot = words
                    _say(f"the orchestrator is down: {words}")
            done += 1
            if looks is None or done < looks:
                time.sleep(every)
    finally:
        record_end(settings, authority.WATCH)


def _why_not(report: CycleReport) -> str:
    """Why this process cannot decide about alerts. Empty if it did decide, or if another process runs the cycle at this
    moment.
    """
    return report.skipped if report.skipped.startswith(CANNOT) else ""


def _look(watcher: Watch, seconds: float) -> CycleReport | None:
    """Check once. Raises TimeoutError if this check, or an earlier one, has not ended after `seconds`. If the ledger's
    server has stopped without closing its connections, a check waits for ever, and the watcher must report that.
    """
    subject = f"a look of the watcher of {watcher.settings.home}"
    try:
        return within(subject, lambda: watcher.look(datetime.now(UTC), lambda: datetime.now(UTC)), seconds)
    except NotAnswered:
        words = f"a look has not returned for {seconds:g} s. Does the server of the ledger answer?"
        raise TimeoutError(words) from None


def _unseen(watcher: Watch, settings: Settings, before: str) -> str:
    """Try again to open Dagster's storage. Returns why it cannot be opened; a new reason is also printed."""
    watcher.instance = instance_of(settings)
    words = str(watcher.instance) if isinstance(watcher.instance, OutOfReach) else ""
    if words != before:
        _say(words or "Dagster's storage can be used again")
    return words


def _say(words: str) -> None:
    console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC {words}", markup=False, soft_wrap=True)
