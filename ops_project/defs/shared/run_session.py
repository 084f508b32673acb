"""The resource `warehouse`: the connection and the lock of one run in one process, from its first step to its
publication.

At the start the run waits for the lock and removes what a killed run left. At the end, also after a failure, it writes
a checkpoint, copies the warehouse to a snapshot, and publishes the gold tables whose checks passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import duckdb
from dagster import DagsterRun

from ops_project.catalog import versions
from ops_project.dagster_bridge import reruns
from ops_project.dagster_bridge import runs as bridge
from ops_project.dagster_bridge.run_tags import AS_OF_TAG, COMMIT_TAG, DOMAIN_TAG, PROCESS_TAG, TIMEOUT_TAG, tag_of
from ops_project.defs.shared import orders, partitions
from ops_project.defs.shared.domain_run import RunReport
from ops_project.defs.shared.permanent import BY_YOU
from ops_project.defs.shared.publication import faults, verdicts
from ops_project.defs.shared.site import Site
from ops_project.moments import to_minute
from ops_project.operations.alerting import false_alarms
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.pipeline.dbt_engine.by_dates import built_by_dates
from ops_project.pipeline.landing import ReplayOrder, ensure_tables, outdated
from ops_project.pipeline.warehouse import announced, closings, publishing, repair, snapshots
from ops_project.pipeline.warehouse.closings import Closing
from ops_project.pipeline.warehouse.connection import Warehouse, writer
from ops_project.pipeline.warehouse.standing import WarehouseUnusable
from ops_project.process import home_overlay as overlay_kept
from ops_project.process import interrupts
from ops_project.process.code_version import commit
from ops_project.process.locks import Holder
from ops_project.process.processes import current
from ops_project.process.watchdog import Overrun, Watchdog
from ops_project.settings import Settings

DEFAULT_RUN_SECONDS = 14_400
FINDINGS = """
SELECT * FROM ops.findings
WHERE run_id = ? AND (
    state = 'open'
    OR kind = 'source_duplicate'
    OR kind = 'data_invalid' AND batch_id IN (SELECT batch_id FROM ops.batches WHERE status = 'loaded')
)
ORDER BY feed, business_date
"""
"""The findings of a run that its user must see: all open findings, and closed findings of two kinds. These kinds are
files that came again, and bad rows of loaded files, which went into quarantine.
"""


@dataclass
class Watcher:
    """Receives the progress of a run in this process. The command line passes a Watcher."""

    say: Callable[[str], None] = lambda _what: None
    waiting: Callable[[str], None] = lambda _who: None
    reports: dict[str, RunReport] = field(default_factory=dict)
    """Id of a run → its report."""


WATCHER: ContextVar[Watcher | None] = ContextVar("ops_watcher", default=None)


@dataclass
class RunSession:
    """The state that the steps of a run share."""

    warehouse: Warehouse
    run_id: str
    now: datetime
    """The as-of time. It is the same for every step of the run."""
    window: tuple[date, date] | None
    """The business dates that the run is about."""
    exact: bool
    """Whether a person ordered exactly these dates to be built again."""
    watchdog: Watchdog
    report: RunReport
    say: Callable[[str], None]
    """Sends a text about the progress to the watcher."""
    replays: tuple[ReplayOrder, ...] = ()
    """Archived files that are read again before the waiting files."""
    rebuild_tables: tuple[str, ...] = ()
    """Incremental models that are built from nothing."""
    config: Mapping[str, str] = field(default_factory=dict)
    """File of the configuration → its digest at the start of the run; empty if the files could not be stored."""
    stopped: str | None = None
    """Why the remaining steps must not begin; None if they may begin."""

    @property
    def rebuild(self) -> tuple[date, date] | None:
        """The dates that models build again besides the dates of new rows; None if there are none."""
        return self.window if self.exact else None

    @property
    def exact_dates(self) -> list[date] | None:
        """The business dates to land; None means all dates of the waiting files."""
        if self.rebuild is None:
            return None
        first, last = self.rebuild
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def retried(self, words: str) -> None:
        """Record a failed attempt after which another attempt follows."""
        self.report.retries.append(words)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """The writer's connection."""
        return self.warehouse.connection()


def warehouse_resource(site: Site) -> dg.ResourceDefinition:
    """The resource `warehouse`. Every op that reads or writes the warehouse needs it."""

    def session(context: dg.InitResourceContext) -> Iterator[RunSession]:
        run = context.run
        if run is None or context.instance is None:
            raise dg.DagsterInvariantViolationError("the warehouse exists within a run only")
        yield from _session(site, run, context.instance, context.log)

    return dg.ResourceDefinition(session, description="The warehouse, held by this run alone.")


def _session(site: Site, run: DagsterRun, instance: dg.DagsterInstance, log: Any) -> Iterator[RunSession]:
    settings = site.settings
    ours = tag_of(run.tags, PROCESS_TAG) == str(current())
    now = datetime.fromisoformat(tag_of(run.tags, AS_OF_TAG)) if ours else settings.now()
    if not ours:
        bridge.identify(instance, run.run_id, {AS_OF_TAG: now.isoformat(), COMMIT_TAG: commit()})
    window = partitions.window_of(run.tags)
    watcher, report = WATCHER.get() or Watcher(), RunReport()
    watcher.reports[run.run_id] = report

    def on_wait(holder: Holder | None) -> None:
        log.info(f"waiting for the warehouse, held by {holder or 'another process'}")
        watcher.waiting(str(holder or "another process"))

    began = time.perf_counter()
    with (
        _told_where_unusable(instance, run, report),
        writer(
            settings, site.catalog.platform, owner=f"job {run.job_name}", now=now, run=run.run_id, on_wait=on_wait
        ) as warehouse,
    ):
        report.seconds["waiting"] = time.perf_counter() - began
        report.repaired += repair.remove_leftovers(settings)
        for line in report.repaired:
            log.info(line)
        announced.run(settings, run.run_id, run.tags.get(DOMAIN_TAG))
        overlay_kept.remember(settings)
        # Every feed gets its table before anything is built, even if the table is empty.
        ensure_tables(warehouse.connection(), site.catalog.feeds.values())
        false_alarms.exclude(warehouse.connection(), settings)
        watchdog = Watchdog(
            on_overrun=lambda overrun: _stop_queries(warehouse, instance, run, overrun),
            last_words=partial(_ended_by_force, instance, run),
        )
        session = RunSession(
            warehouse=warehouse,
            run_id=run.run_id,
            now=now,
            window=window,
            exact=window is not None and run.tags.get(partitions.MODE) != partitions.ARRIVED,
            watchdog=watchdog,
            report=report,
            say=watcher.say,
            replays=orders.replays_of(run.tags),
            rebuild_tables=orders.rebuild_of(run.tags),
            config=_configuration(settings),
        )
        if session.rebuild is not None:
            announced.rebuild(settings, session.rebuild)
        seconds = float(tag_of(run.tags, TIMEOUT_TAG, str(DEFAULT_RUN_SECONDS)))
        with watchdog.armed(f"run {run.run_id[:8]} of {run.job_name}", seconds):
            try:
                yield session
            finally:
                _end(site, run, instance, session)


@contextmanager
def _told_where_unusable(instance: dg.DagsterInstance, run: DagsterRun, report: RunReport) -> Iterator[None]:
    """If the warehouse is unusable, the run fails before its first step. Then an event in the UI shows the reason, and
    the report shows it on the terminal.
    """
    try:
        yield
    except WarehouseUnusable as error:
        report.error = report.unusable = str(error)
        instance.report_engine_event(str(error), run)
        raise


def _ended(settings: Settings, now: datetime) -> str:
    """The time at which a run closed. In a replay, whose clock stands still, this is `now`. Otherwise it is the real
    time.
    """
    return (now if settings.as_of is not None else datetime.now(UTC)).isoformat()


def _end(site: Site, run: DagsterRun, instance: dg.DagsterInstance, session: RunSession) -> None:
    if interrupts.pressed():
        # Nothing is copied or published, so readers and consumers keep the last versions.
        session.stopped = BY_YOU
        dbt_runner.settle()
        return
    settings, now = site.settings, session.now
    session.say("snapshot and publication")
    ends = Closing(
        job=run.job_name,
        run_id=run.run_id,
        domain=run.tags.get(DOMAIN_TAG, ""),
        state=closings.CLOSING,
        at=now.isoformat(),
        scheduled="dagster/schedule_name" in run.tags,
    )
    try:
        closings.note(settings, ends)
        _close(site, run, instance, session)
        ends = replace(ends, failed_checks=session.report.failed_checks)
        closings.note(settings, replace(ends, state=closings.CLOSED, at=_ended(settings, now)))
    except Exception as error:
        # Dagster only logs an error here, so the error is stored for the alert cycle. If storing fails too, the stored
        # state still says that the run began to close.
        with suppress(OSError):
            failed = replace(ends, state=closings.FAILED, at=_ended(settings, now), error=str(error))
            closings.note(settings, failed)
        session.report.error = f"snapshot or publication failed: {error}. Readers and consumers keep the last one."
        instance.report_engine_event(session.report.error, run)
        raise


def _stop_queries(warehouse: Warehouse, instance: dg.DagsterInstance, run: DagsterRun, overrun: Overrun) -> None:
    instance.report_engine_event(f"{overrun}; it is asked to stop", run)
    warehouse.connection().interrupt()
    dbt_runner.cancel()


def _ended_by_force(instance: dg.DagsterInstance, run: DagsterRun, overrun: Overrun) -> None:
    instance.report_run_failed(run, f"{overrun}; it was ended by force")


def _close(site: Site, run: DagsterRun, instance: dg.DagsterInstance, session: RunSession) -> None:
    report, began = session.report, time.perf_counter()
    dbt_runner.settle()
    stamp: dict[str, Any] = {"run_id": run.run_id, "as_of": session.now, "commit": commit()}
    report.batches = _rows(session, "SELECT * FROM ops.batches WHERE run_id = ? ORDER BY load_seq", run.run_id)
    report.findings = _rows(session, FINDINGS, run.run_id)
    domain = run.tags.get(DOMAIN_TAG)
    feeds = [feed for feed in site.catalog.feeds.values() if domain in (None, feed.domain)]
    found = [outdated(session.connection(), feed) for feed in feeds]
    report.offers = [item.offer for item in found if item is not None]
    # A rerun publishes its own tables together with those of the earlier runs that it completes.
    outcome = bridge.outcome(instance, run.run_id)
    report.failed_checks = outcome.failed_checks
    outcome = reruns.together(instance, run) if reruns.PARENT in run.tags else outcome
    good = session.stopped is None and not outcome.failures and not faults(site, outcome)
    models = built_by_dates(site.dbt.json)
    landed = {row["feed"] for row in _rows(session, "SELECT DISTINCT feed FROM ops.batches")}
    snapshot = snapshots.take(
        session.warehouse,
        domain=domain,
        window=session.window,
        good=good,
        whole=domain is not None
        and run.job_name == site.catalog.domains.main_job(domain)
        and reruns.is_whole(instance, run, outcome),
        landed={feed.domain for feed in site.catalog.feeds.values() if feed.name in landed},
        models=models,
        config=session.config,
        **stamp,
    )
    with suppress(OSError):
        kept = snapshots.existing(site.settings)
        versions.forget(site.settings, {digest for item in kept for digest in item.manifest.get("config", {}).values()})
    report.snapshot, report.seconds["snapshot"] = snapshot.id, time.perf_counter() - began
    began = time.perf_counter()
    for name, tables in verdicts(site, outcome).items():
        publication = publishing.publish(
            session.warehouse, domain=name, verdicts=tables, fingerprints=snapshot.tables, **stamp
        )
        for table, entry in publication.held.items():
            who = ", ".join(f"{reader['name']} ({reader['owner']})" for reader in entry["consumers"])
            report.held.append(
                f"gold.{table} was not published, {entry['reason']}; {entry['state']} since {to_minute(entry['since'])}"
                + (f"; concerns {who}" if who else "")
            )
    report.seconds["publish"] = time.perf_counter() - began
    for line in report.held:
        instance.report_engine_event(line, run)
    instance.report_engine_event(
        f"snapshot {snapshot.id} ({snapshot.manifest['copied_by']}, {snapshot.manifest['size_bytes']:,} bytes) in "
        f"{report.seconds['snapshot']:.2f} s, publication in {report.seconds['publish']:.2f} s",
        run,
    )


def _configuration(settings: Settings) -> dict[str, str]:
    """Store the configuration's files. Only diagnosis needs them, so a failure to store them does not stop the run."""
    try:
        return versions.keep(settings)
    except OSError:
        return {}


def _rows(session: RunSession, query: str, *parameters: str) -> list[dict[str, Any]]:
    result = session.connection().execute(query, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
