"""`ops feed confirm`: records that a person says that a doubtful delivery is complete. The command closes the finding
in the warehouse and the alert in the ledger. It then loads the files of the delivery that were refused.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime

import click

from ops_project.cli.output import console, emit, errors
from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.confirm import DOUBT, Doubt, confirm
from ops_project.settings import Settings

FINDING = "landing.finding"


def confirm_delivery(settings: Settings, feed: Feed, day: date, *, by: str, why: str, as_json: bool) -> None:
    """Confirm the deliveries of `feed` for business date `day`. Raises ClickException if none of them is in doubt."""
    found = _in_warehouse(settings, feed, day, by, why)
    _in_ledger(settings, feed, day, by=by, why=why, found=found)
    refused = tuple(doubt.batch_id for doubt in found if doubt.refused)

    def render() -> None:
        for doubt in found:
            console.print(f"Confirmed by {by}: {doubt.file_name} of {day} (batch {doubt.batch_id}) is complete.")

    if not refused:
        emit(as_json, {"confirmed": [asdict(doubt) for doubt in found], "by": by, "why": why}, render)
        return
    from ops_project.cli.run import Wanted, perform
    from ops_project.pipeline.landing import ReplayOrder

    if not as_json:
        render()
        errors.print(f"{len(refused)} refused file{'s are' if len(refused) > 1 else ' is'} loaded now")
    perform(settings, Wanted(domains=(feed.domain,), replays=(ReplayOrder(feed.name, (), refused),)), as_json)


def _in_warehouse(settings: Settings, feed: Feed, day: date, by: str, why: str) -> list[Doubt]:
    from ops_project.catalog import load as load_catalog
    from ops_project.pipeline.landing import ensure_tables
    from ops_project.pipeline.warehouse.connection import Warehouse
    from ops_project.process import locks

    catalog = load_catalog(settings)
    if not settings.warehouse.is_file():
        raise click.ClickException(f"no file of {feed.name} has been landed yet in {settings.home}")
    with locks.hold(settings.lock, owner="ops feed confirm", now=settings.now()):
        warehouse = Warehouse(settings, catalog.platform)
        try:
            ensure_tables(warehouse.connection(), catalog.feeds.values())
            found = confirm(warehouse.connection(), feed.name, day, by=by, why=why, now=settings.now())
        finally:
            warehouse.close()
    if not found:
        raise click.ClickException(
            f"nothing of {feed.name} is in doubt for {day}; files in doubt are listed by `ops alerts list` and by "
            "`ops sql \"select feed, business_date, message from ops.findings where state = 'open'\"`"
        )
    return found


def _in_ledger(settings: Settings, feed: Feed, day: date, *, by: str, why: str, found: list[Doubt]) -> None:
    """Record the confirmation in the ledger, so that the alert closes now. Otherwise it would close only after the next
    snapshot.
    """
    from ops_project.catalog import load as load_catalog
    from ops_project.model.alerting.signal import FIRING, OK
    from ops_project.operations.alerting.cycle import run_once
    from ops_project.operations.ledger import open_ledger

    ledger, now = open_ledger(settings), settings.now()
    batches = {doubt.batch_id for doubt in found}
    over = [
        replace(
            signal,
            state=OK,
            value=0.0,
            event_at=max(now, signal.event_at),
            observed_at=now,
            occurrence=f"confirmed:{signal.batch_id}:{now.isoformat()}",
            message=f"confirmed by {by}: {why}",
        )
        for signal in ledger.latest(FINDING).values()
        if signal.state == FIRING
        and signal.failure_class == DOUBT
        and signal.labels.get("feed") == feed.name
        and signal.batch_id in batches
    ]
    ledger.append(over, now=now)
    for doubt in found:
        subject = f"{feed.name} {day}, {doubt.file_name}, batch {doubt.batch_id}"
        ledger.audit(
            now, who=by, source="shell", action="confirm delivery", subject=subject, outcome="done", detail=why
        )
    run_once(settings, load_catalog(settings), now, clock=lambda: datetime.now(UTC), observers=(), flush_now=True)
