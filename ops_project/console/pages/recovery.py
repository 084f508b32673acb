"""Recovery: backups with their proofs, drills, restores, plans of backfills, and the snapshots that can be restored.
The page reads only the home. It never contacts the place where backups are stored, because that may be slow to reach.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response
from starlette.routing import Route

from ops_project.catalog import Catalog
from ops_project.console.backups_health import newest_proved, of_backups
from ops_project.console.views import Ask, page
from ops_project.dagster_bridge.runs_file import backfills
from ops_project.pipeline.recovery import journal, out_of_date, plans
from ops_project.pipeline.recovery.backup import drill
from ops_project.pipeline.recovery.backup.shelf import Register, register
from ops_project.pipeline.warehouse import snapshots
from ops_project.settings import Settings

TOO_OLD = "backup.proved_age_hours"
DEEDS = ("backup", "backup restore", "restore", "rollback")
LISTED = 30


def routes() -> list[Route]:
    return [page("/recovery", shown)]


def shown(ask: Ask) -> Response:
    site, catalog = ask.site, ask.site.catalog
    destination = catalog.platform.backups.destination
    found = None if destination is None else register(site.settings, destination, ask.now)
    return ask.show(
        "recovery.html.j2",
        state=of_backups(found, oldest_allowed(catalog), ask.now),
        found=found,
        proved=None if found is None else newest_proved(found),
        backups=[] if found is None else _with_proofs(found),
        schedule=catalog.platform.backups.schedule,
        drills=[(datetime.fromisoformat(item.at), item) for item in reversed(drill.history(site.settings))][:LISTED],
        deeds=site.ledger.audit_log(LISTED, DEEDS),
        unfinished=_unfinished(site.settings),
        behind=sorted(out_of_date.marked(site.settings).items()),
        plans=_plans(site.settings),
        snapshots=list(reversed(snapshots.existing(site.settings))),
    )


def oldest_allowed(catalog: Catalog) -> timedelta | None:
    """The age at which the newest proved backup sets off an alert; None if no rule limits the age."""
    limits = [
        condition.threshold
        for rule in catalog.rules.rules.values()
        for condition in rule.any
        if condition.metric == TOO_OLD
    ]
    return timedelta(hours=min(limits)) if limits else None


def _with_proofs(found: Register) -> list[tuple[object, object]]:
    proofs = found.proofs or {}
    return [(item, proofs.get(item.id)) for item in reversed(found.backups)]


def _unfinished(settings: Settings) -> journal.Entry | None:
    """The last restore, if it was interrupted; otherwise None. Running the same command again finishes it."""
    entry = journal.last(settings)
    return entry if entry is not None and entry.state == journal.BEGUN else None


def _plans(settings: Settings) -> list[tuple[plans.Kept, dict[str, int] | None]]:
    """Each plan, with the number of its runs in each state; None in place of the numbers if they are unknown."""
    runs = backfills(settings)
    return [(kept, None if runs is None else runs.get(kept.plan.hash, {})) for kept in plans.every(settings)[:LISTED]]
