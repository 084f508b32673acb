"""Runs a domain's main job in this process, on the persisted Dagster instance, so that the UI shows the run afterwards.

The lock is held from the first reading of the inbound folder to the end. So exactly the files that were found at first
are landed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb

from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.run_tags import AS_OF_TAG, COMMIT_TAG, DOMAIN_TAG
from ops_project.dagster_bridge.storage_errors import in_words
from ops_project.defs.shared import partitions, unchanged
from ops_project.defs.shared.arrivals import window
from ops_project.defs.shared.domain_run import SUCCEEDED, DomainRun, RunReport
from ops_project.defs.shared.orders import Order
from ops_project.defs.shared.run_session import WATCHER, Watcher
from ops_project.defs.shared.site import Site
from ops_project.pipeline.landing import ReplayOrder, Taken, contract_hash, deliveries, ensure_tables, to_replay
from ops_project.process import interrupts, locks
from ops_project.process.code_version import commit

GOES_ON = "Nothing was published; readers and consumers keep what they have, and the next run goes on from here."


def run_domain(
    site: Site,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    domain: str,
    *,
    order: Order,
    watcher: Watcher,
    clock: Callable[[], datetime],
) -> list[DomainRun]:
    """Carry out one run. If the dates of the waiting files are far apart, there are several runs. A failure of a run is
    returned and not raised.
    """
    settings = site.settings
    job = site.catalog.domains.main_job(domain)

    def on_wait(holder: locks.Holder | None) -> None:
        watcher.waiting(str(holder or "another process"))

    began = time.perf_counter()
    with locks.hold(settings.lock, owner=f"ops run, {domain}", now=clock(), on_wait=on_wait):
        now = clock()
        died = locks.left_behind(settings.lock)
        repaired = bridge.mark_dead_runs(instance, now, died.run if died is not None else None)
        ranges, mode = _ranges(site, domain, order, now)
        chosen: dict[str, list[Taken]] = {}
        if order.replays:
            ours = tuple(one for one in order.replays if site.catalog.feeds[one.feed].domain == domain)
            order = replace(order, replays=ours)
            try:
                chosen = {one.feed: planned(site, one) for one in ours}
            except ReplayError as error:
                return [DomainRun(domain, job, "failed", time.perf_counter() - began, error=str(error))]
            dates = tuple(sorted({batch.business_date for batches in chosen.values() for batch in batches}))
            if not dates:
                return [DomainRun(domain, job, NOTHING_TO_REPLAY, time.perf_counter() - began)]
            ranges = partitions.clusters(dates)
        if not order.replays:
            newest = bridge.last_runs(instance, [domain]).get(domain)
            why = unchanged.quiet(
                settings,
                site.catalog,
                domain,
                newest_run=newest.run_id if newest else None,
                now=now,
                plain=order.is_plain,
            )
            if why is not None:
                return [DomainRun(domain, job, why, time.perf_counter() - began)]
        done = [
            _run(
                definitions,
                instance,
                domain,
                job=job,
                window=window,
                mode=mode,
                order=order.within(*window, chosen),
                now=now,
                watcher=watcher,
            )
            for window in ranges
        ]
        done[0].report.repaired[:0] = repaired
        # Tables on hold were left out and must still be built. So a run with a hold does not count as complete.
        complete = not any(item.failed or item.report.on_hold for item in done)
        if complete and mode == partitions.ARRIVED:
            unchanged.remember(settings, domain, now, done[-1].run_id)
    return done


def _run(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    domain: str,
    *,
    job: str,
    window: tuple[date, date],
    mode: str,
    order: Order,
    now: datetime,
    watcher: Watcher,
) -> DomainRun:
    began = time.perf_counter()
    tags = {
        **partitions.range_tags(*window),
        **bridge.process_tags(),
        DOMAIN_TAG: domain,
        AS_OF_TAG: now.isoformat(),
        COMMIT_TAG: commit(),
        partitions.MODE: mode,
        **order.tags(),
    }
    token = WATCHER.set(watcher)
    try:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance, tags=tags, raise_on_error=False, run_config={"loggers": {"console": {}}}
        )
    except Exception as error:
        words = in_words(error, Path(instance.root_directory))
        return DomainRun(domain, job, "failed", time.perf_counter() - began, window=window, error=words)
    finally:
        WATCHER.reset(token)
    if interrupts.pressed() and not result.success:
        bridge.mark_canceled(instance, result.run_id, "Interrupted by somebody at the terminal; nothing was published.")
        raise KeyboardInterrupt(GOES_ON)
    return DomainRun(
        domain,
        job,
        SUCCEEDED if result.success else "failed",
        time.perf_counter() - began,
        run_id=result.run_id,
        window=window,
        report=watcher.reports.get(result.run_id, RunReport()),
        outcome=bridge.outcome(instance, result.run_id),
    )


NOTHING_TO_REPLAY = "nothing to replay"


class ReplayError(ValueError):
    """These files cannot be replayed. The message says why, and which files can be."""


def planned(site: Site, order: ReplayOrder) -> list[Taken]:
    """The batches that a replay would read again. The caller holds the lock. Raises ReplayError."""
    settings, feed = site.settings, site.catalog.feeds[order.feed]
    if not settings.warehouse.is_file():
        raise ReplayError(f"no file of {order.feed} has been landed yet in {settings.home}")
    with duckdb.connect(str(settings.warehouse)) as connection:
        ensure_tables(connection, site.catalog.feeds.values())
        known = deliveries(connection, feed, settings.archive)
    if unknown := [batch for batch in order.batches if batch not in {item.batch_id for item in known}]:
        newest = ", ".join(item.batch_id for item in reversed(known[-5:])) or "none"
        raise ReplayError(f"feed {feed.name} has no batch {', '.join(unknown)}; its newest: {newest}")
    delivered = {item.business_date for item in known}
    if absent := [str(day) for day in order.dates if day not in delivered]:
        raise ReplayError(f"feed {feed.name} has no file of {', '.join(absent)}")
    return to_replay(known, order, lambda day: contract_hash(feed, feed.at(day)))


def _ranges(site: Site, domain: str, order: Order, now: datetime) -> tuple[list[tuple[date, date]], str]:
    if order.date is not None:
        return [(order.date, order.date)], "exact"
    if order.days is not None:
        last = now.astimezone(site.catalog.platform.zone).date() - timedelta(days=1)
        return [(max(site.catalog.platform.start_date, last - timedelta(days=order.days - 1)), last)], "exact"
    return window(site, domain, now), partitions.ARRIVED
