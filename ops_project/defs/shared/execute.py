"""Run a domain's main job here and now, in this process, on the persisted Dagster instance.

The UI shows it afterwards. Holds the lock from the first look at the inbound folder to the end, so that what it saw
waiting is what it lands.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from ops_project.defs.shared import partitions
from ops_project.defs.shared.arrivals import pending_dates, window
from ops_project.defs.shared.run_session import WATCHER, RunReport, Watcher
from ops_project.defs.shared.site import Site
from ops_project.runtime import dagster_bridge_runs as bridge
from ops_project.runtime import files, locks, snapshots
from ops_project.runtime.code_version import commit, sources_key
from ops_project.runtime.sources import SOURCES
from ops_project.settings import CONFIG_DIR

NOTHING_NEW = "nothing new"
NO_FILES = "no files yet"


@dataclass
class DomainRun:
    """One Dagster run of a domain and everything that is told of it."""

    domain: str
    job: str
    state: str
    """succeeded, failed, nothing new, no files yet."""
    seconds: float
    run_id: str | None = None
    window: tuple[date, date] | None = None
    report: RunReport = field(default_factory=RunReport)
    outcome: bridge.RunOutcome | None = None
    error: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the command may not end with 0."""
        checks = self.outcome.checks if self.outcome else ()
        return self.state == "failed" or self.report.error is not None or any(check.failed for check in checks)


@dataclass(frozen=True)
class Order:
    """What is to be run: whatever has arrived, the last `days` business dates, or exactly one date."""

    days: int | None = None
    date: date | None = None


def run_domain(
    site: Site,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    domain: str,
    order: Order,
    watcher: Watcher,
    clock: Callable[[], datetime],
) -> list[DomainRun]:
    """One run (several only where what waits lies years apart). Raises nothing that a run can fail of."""
    settings = site.settings
    job = site.catalog.domains.main_job(domain)

    def on_wait(holder: locks.Holder | None) -> None:
        watcher.waiting(str(holder or "another process"))

    began = time.perf_counter()
    with locks.hold(settings.lock, owner=f"ops run, {domain}", now=clock(), on_wait=on_wait):
        now = clock()
        repaired = bridge.mark_dead_runs(instance, now)
        ranges, mode = _ranges(site, domain, order, now)
        if mode == partitions.ARRIVED and _nothing_new(site, instance, domain, now):
            return [DomainRun(domain, job, NOTHING_NEW, time.perf_counter() - began)]
        if mode == partitions.ARRIVED and _never_fed(site, domain, now):
            return [DomainRun(domain, job, NO_FILES, time.perf_counter() - began)]
        done = [_run(definitions, instance, domain, job, window, mode, now, watcher) for window in ranges]
        done[0].report.repaired[:0] = repaired
        if not any(item.failed for item in done) and mode == partitions.ARRIVED:
            _remember(site, domain, now, done[-1])
    return done


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    domain: str,
    job: str,
    window: tuple[date, date],
    mode: str,
    now: datetime,
    watcher: Watcher,
) -> DomainRun:
    began = time.perf_counter()
    tags = {
        **partitions.range_tags(*window),
        **bridge.process_tags(),
        bridge.DOMAIN_TAG: domain,
        bridge.AS_OF_TAG: now.isoformat(),
        bridge.COMMIT_TAG: commit(),
        partitions.MODE: mode,
    }
    token = WATCHER.set(watcher)
    try:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance, tags=tags, raise_on_error=False, run_config={"loggers": {"console": {}}}
        )
    except Exception as error:
        return DomainRun(domain, job, "failed", time.perf_counter() - began, window=window, error=str(error))
    finally:
        WATCHER.reset(token)
    return DomainRun(
        domain,
        job,
        "succeeded" if result.success else "failed",
        time.perf_counter() - began,
        run_id=result.run_id,
        window=window,
        report=watcher.reports.get(result.run_id, RunReport()),
        outcome=bridge.outcome(instance, result.run_id),
    )


def _ranges(site: Site, domain: str, order: Order, now: datetime) -> tuple[list[tuple[date, date]], str]:
    if order.date is not None:
        return [(order.date, order.date)], "exact"
    if order.days is not None:
        last = now.astimezone(site.catalog.platform.zone).date() - timedelta(days=1)
        return [(max(site.catalog.platform.start_date, last - timedelta(days=order.days - 1)), last)], "exact"
    return window(site, domain, now), partitions.ARRIVED


def _memory(site: Site, domain: str) -> Path:
    return site.settings.home / "state" / f"{domain}.json"


def _signature(site: Site, now: datetime) -> str:
    """What a run's result depends on besides the inbound files: code, models, configuration, and the hour.

    The hour, because what is late is decided by the clock; within one, nothing becomes due that is not there.
    """
    digest = hashlib.sha256(f"{site.dbt.key} {sources_key()} {now:%Y-%m-%dT%H}".encode())
    for root in (CONFIG_DIR, site.settings.overlay):
        for path in sorted(root.rglob("*")) if root else []:
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _nothing_new(site: Site, instance: dg.DagsterInstance, domain: str, now: datetime) -> bool:
    """Whether a run would only repeat the last one: it succeeded, nothing waits, and nothing it depends on changed.

    A later run may have landed what waited, and died before it was built.
    """
    if pending_dates(site, domain, now)[1] or not site.settings.warehouse.is_file():
        return False
    try:
        last: dict[str, Any] = json.loads(_memory(site, domain).read_text(encoding="utf-8"))
        known = {snapshot.id for snapshot in snapshots.existing(site.settings)}
    except (OSError, ValueError):
        return False
    newest = bridge.last_runs(instance, [domain]).get(domain)
    if newest is None or newest.run_id != last.get("run_id"):
        return False
    return bool(known) and last.get("signature") == _signature(site, now)


def _never_fed(site: Site, domain: str, now: datetime) -> bool:
    """Whether nothing has ever come for a domain and its contracts name no date to expect: it is not in use here.

    Empty tables built for it would have scores and alerts that mean nothing, among those of who brought their own data.
    """
    feeds = site.catalog.feeds_of(domain)
    return (
        not pending_dates(site, domain, now)[1]
        and not (site.settings.archive / domain).exists()
        and not any(feed.start for feed in feeds)
        and not any(site.settings.secret(SOURCES[feed.name][0]) for feed in feeds if feed.name in SOURCES)
    )


def _remember(site: Site, domain: str, now: datetime, run: DomainRun) -> None:
    file = _memory(site, domain)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(file, {"signature": _signature(site, now), "run_id": run.run_id, "as_of": now.isoformat()})
