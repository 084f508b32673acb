"""Decides whether a run of a domain would only repeat the last run.

This module does not import Dagster, because a run that finds nothing to do should end at once.

A run may be necessary only because time has passed. Missing, late and stale data is judged again after an hour. Models
that count back from today are built again after a day.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ops_project.catalog import Catalog
from ops_project.dagster_bridge import runs_file as dagster_runs_file
from ops_project.json_file import read_object
from ops_project.operations.alerting import false_alarms as verdicts
from ops_project.operations.ledger import open_ledger
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.landing.inbox import pending
from ops_project.pipeline.landing.sources import SOURCES
from ops_project.pipeline.warehouse import files, snapshots
from ops_project.process.code_version import sources_key
from ops_project.settings import CONFIG_DIR, DBT_PROJECT_DIR, Settings

NOTHING_NEW = "nothing new"
NO_FILES = "no files yet"


def quiet_domains(
    settings: Settings, catalog: Catalog, domains: list[str], now: datetime, *, plain: bool = True
) -> dict[str, str] | None:
    """Domain → why it needs no run. None if one of the domains needs a run, or if only Dagster can tell.

    `plain`: as in `quiet`.
    """
    runs = dagster_runs_file.read(settings, domains)
    if runs is None or runs.unfinished:
        return None
    result, signature = {}, _signature(settings, now)
    for domain in domains:
        newest = runs.newest.get(domain)
        why = quiet(
            settings,
            catalog,
            domain,
            newest_run=newest.run_id if newest else None,
            now=now,
            signature=signature,
            plain=plain,
        )
        if why is None:
            return None
        result[domain] = why
    return result


def quiet(
    settings: Settings,
    catalog: Catalog,
    domain: str,
    *,
    newest_run: str | None,
    now: datetime,
    signature: str | None = None,
    plain: bool = True,
) -> str | None:
    """Why a run of `domain` is not necessary: it would only repeat the last run, or the domain is not in use. None if a
    run is necessary.

    `plain`: the request is only for files that have arrived. Other requests, for dates or tables, are carried out again
    unless the domain never had a file or a run. Such a domain has nothing from which tables could be built.
    """
    if pending_dates(settings, catalog, domain, now)[1] or _asks_a_source(settings, catalog, domain):
        return None
    if not plain:
        return NO_FILES if newest_run is None and _never_fed(settings, catalog, domain) else None
    if _repeats(settings, domain, newest_run, signature or _signature(settings, now)):
        return NOTHING_NEW
    return NO_FILES if _never_fed(settings, catalog, domain) else None


def pending_dates(settings: Settings, catalog: Catalog, domain: str, now: datetime) -> tuple[list[date], int]:
    """The business dates of the files that wait in a domain's inbound folder, and the number of these files. A file
    dated after `now` has not arrived yet, as in landing.
    """
    days: set[date] = set()
    count = 0
    for feed in catalog.feeds_of(domain):
        for file in pending(feed, settings.inbound) if feed.enabled else ():
            # A file whose name has no date belongs to the day on which it came.
            day = file.business_date or min(file.modified_at, now).astimezone(feed.date_zone).date()
            if not file.waits and day <= now.astimezone(feed.date_zone).date():
                count += 1
                days.add(day)
    return sorted(days), count


def remember(settings: Settings, domain: str, now: datetime, run_id: str | None) -> None:
    """Record a successful run and a digest of everything that its result depended on."""
    file = _memory(settings, domain)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(file, {"signature": _signature(settings, now), "run_id": run_id, "as_of": now.isoformat()})


def forget(settings: Settings, domain: str) -> None:
    """Forget the last run of `domain`. Call this after a change of the warehouse from outside."""
    _memory(settings, domain).unlink(missing_ok=True)


def _memory(settings: Settings, domain: str) -> Path:
    return settings.home / "state" / f"{domain}.json"


def _signature(settings: Settings, now: datetime) -> str:
    """A digest of the code, the models, the configuration, the verdicts on alerts, and the hour. They decide the result
    of a run, together with the inbound files.

    The hour counts because the clock decides what is late. Within one hour nothing new becomes late.
    """
    digest = hashlib.sha256(f"{dbt_manifest.content_key(DBT_PROJECT_DIR)} {sources_key()} {now:%Y-%m-%dT%H}".encode())
    for root in (CONFIG_DIR, settings.overlay):
        for path in sorted(root.rglob("*")) if root else []:
            if path.is_file():
                digest.update(path.read_bytes())
    digest.update(repr(_excluded(settings)).encode())
    return digest.hexdigest()


def _excluded(settings: Settings) -> list[verdicts.Point] | None:
    """The points that a run leaves out, because people said that the alerts about them are false. A point is an asset,
    a business date and an alert. None if the ledger cannot be reached. In that case a run keeps the points of the last
    run.
    """
    try:
        return verdicts.points(open_ledger(settings).verdicts())
    except SQLAlchemyError:
        return None


def _repeats(settings: Settings, domain: str, newest_run: str | None, signature: str) -> bool:
    """Whether the newest run is the remembered successful run, and nothing that it depended on has changed.

    The newest run is not the remembered run if, for example, a run landed the waiting files and died before it built
    the tables.
    """
    if newest_run is None or not settings.warehouse.is_file():
        return False
    try:
        last = read_object(_memory(settings, domain))
    except (OSError, ValueError):
        return False
    return newest_run == last.get("run_id") and last.get("signature") == signature and not snapshots.is_behind(settings)


def _never_fed(settings: Settings, catalog: Catalog, domain: str) -> bool:
    """Whether a domain is not in use here: no file of it has ever arrived, and its contracts expect no file on any
    date.

    Nothing is built for such a domain, because scores and alerts of empty tables mean nothing to a user who runs only
    other domains.
    """
    feeds = catalog.feeds_of(domain)
    return not (settings.archive / domain).exists() and not any(feed.start for feed in feeds)


def _asks_a_source(settings: Settings, catalog: Catalog, domain: str) -> bool:
    """Whether a feed reads from a source system that is configured here. Only a query shows whether new data waits
    there.
    """
    return any(settings.secret(SOURCES[feed.name][0]) for feed in catalog.feeds_of(domain) if feed.name in SOURCES)
