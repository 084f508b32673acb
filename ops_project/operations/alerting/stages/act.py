"""The third stage: incidents, messages, the alerts that the Dagster UI shows, and the removal of old records."""

from __future__ import annotations

from typing import Any

from ops_project.dagster_bridge.storage_errors import OutOfReach, storage_words
from ops_project.model.alerting.alert import FIRING
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.circumstances import Circumstances
from ops_project.operations.alerting.delivery import Deliverer
from ops_project.operations.alerting.stages.decide import DECIDED
from ops_project.operations.alerting.stages.under_way import Cycle
from ops_project.operations.alerting.tidy import tidy
from ops_project.operations.channels.registry import lacks, unconfigured
from ops_project.operations.diagnosis.evidence import Scene
from ops_project.operations.diagnosis.keep import keep
from ops_project.operations.incidents.message_links import with_links
from ops_project.operations.incidents.stage import run as run_incidents
from ops_project.operations.ledger.leases import LeaseLost
from ops_project.process.kill_points import reach

SHOWN = "shown"


def incidents(cycle: Cycle) -> None:
    """Turn alerts into incidents, and run the escalation ladders. Their messages are only put into the outbox here."""
    if cycle.decision is None:
        return
    done = run_incidents(
        cycle.ledger,
        cycle.catalog,
        cycle.config,
        lineage=cycle.lineage,
        alerts=list(cycle.decision.state.alerts.values()),
        now=cycle.now,
        lease=cycle.lease.fenced,
    )
    cycle.report.queued += done.queued
    cycle.report.incidents = done.changed
    if done.changed and cycle.evidence:
        scene = Scene(
            settings=cycle.settings,
            catalog=cycle.catalog,
            ledger=cycle.ledger,
            lineage=cycle.lineage,
            now=cycle.now,
            assets=(),
        )
        try:
            keep(scene, done.changed, cycle.evidence)
        except LeaseLost:
            raise
        except Exception as error:
            # The page is sent even if the evidence cannot be gathered.
            cycle.report.observer_errors["evidence"] = cycle.without_secrets(f"{type(error).__name__}: {error}")
        cycle.moved()
    reach("cycle:incidents")


def notify(cycle: Cycle) -> None:
    """Send the messages that are due."""
    if not cycle.ledger.waiting():
        return
    # In a rehearsal, `now` may be ahead of the wall clock, for example by a day. The messages that were written at that
    # time are due now.
    receivers = cycle.catalog.receivers.receivers
    owners = cycle.catalog.owners
    circumstances = Circumstances(cycle.settings, cycle.catalog, cycle.ledger, cycle.now)
    deliverer = Deliverer(
        cycle.ledger,
        receivers,
        cycle.settings,
        cycle.lease.fenced,
        prepare=lambda message: with_links(circumstances.told_in(message), cycle.ledger, cycle.settings, owners),
    )
    # Some messages need a secret that this process lacks. They wait for a process that has it, and the wait does not
    # count as a failed attempt.
    lacking = unconfigured(receivers, cycle.settings)
    cycle.report.delivery = deliverer.deliver(lambda: max(cycle.clock(), cycle.now), without=lacking)
    if lacking and cycle.config.flush_now:
        # This report is shown to a person, or lies in the output of a job. If the messages of a daemon wait, an alert
        # says so.
        waiting = cycle.ledger.channels_waiting()
        cycle.report.waiting = {name: lacks(lacking[name]) for name in sorted(waiting & lacking.keys())}


def show(cycle: Cycle) -> None:
    """Show the open alerts of each asset in the Dagster UI."""
    if cycle.instance is None or isinstance(cycle.instance, OutOfReach) or cycle.decision is None:
        return
    if cycle.settings.watched is not None:
        return  # The assets of another project do not have the check.
    from ops_project.operations.alerting.dagster.shown_alerts import show as show_on_asset

    open_now: dict[str, list[Any]] = {}
    for alert in cycle.decision.state.alerts.values():
        if alert.status == FIRING:
            for asset in alert.assets or ((alert.asset,) if alert.asset else ()):
                open_now.setdefault(asset, []).append(alert)
    wanted = {
        asset: digest(*(f"{a.number}:{a.severity}:{a.summary}:{a.acknowledged_by}" for a in alerts))
        for asset, alerts in open_now.items()
        if asset in cycle.lineage.assets
    }
    shown: dict[str, str] = cycle.ledger.document(SHOWN) or {}
    if wanted == shown:
        return
    try:
        for asset in sorted({*wanted, *shown}):
            if wanted.get(asset) != shown.get(asset):
                show_on_asset(cycle.instance, asset, open_now.get(asset, []) if asset in wanted else [])
    except Exception as error:
        if not (words := storage_words(error, cycle.settings.dagster_home)):
            raise
        # Everything else is decided and sent. The next cycle shows the alerts.
        cycle.report.observer_errors["alerts in the Dagster UI"] = words
        return
    cycle.ledger.put_document(SHOWN, wanted, digest(*sorted(wanted.values())), cycle.now)


def tidy_up(cycle: Cycle) -> None:
    """Delete old records."""
    cycle.report.removed = tidy(
        cycle.ledger, cycle.catalog, int(cycle.ledger.cursor(DECIDED) or 0), cycle.now, cycle.moved
    )
