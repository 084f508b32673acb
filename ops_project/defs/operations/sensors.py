"""The alert cycle as a sensor, and the run-failure sensor beside it. They know neither our pipelines nor our warehouse,
so that they can watch any Dagster project.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from ops_project.catalog import Catalog
from ops_project.counted import counted
from ops_project.dagster_bridge.asset_graph import lineage_of_repository
from ops_project.dagster_bridge.ticks import schedules_of
from ops_project.lineage import Lineage
from ops_project.operations.alerting import authority, spare
from ops_project.operations.alerting.cycle import remember_schedules, run_once
from ops_project.operations.alerting.dagster.run_signals import signals_of_run
from ops_project.operations.alerting.listener import Listener, Work
from ops_project.operations.alerting.observers.observer import Observer
from ops_project.operations.alerting.stages.under_way import CycleReport
from ops_project.operations.diagnosis.evidence import EvidenceSource
from ops_project.operations.ledger import Ledger, open_ledger
from ops_project.operations.ledger.damage import cause_in_ledger
from ops_project.operations.ledger.silent import silent
from ops_project.process.processes import current
from ops_project.settings import Settings

# The daemon looks at its sensors every 5 seconds; an interval of 1 second makes it run at every look.
INTERVAL_SECONDS = 1


@dataclass(frozen=True)
class Watch:
    """What the sensors watch, and with what."""

    settings: Settings
    catalog: Catalog
    observers: Sequence[Observer]
    evidence: Sequence[EvidenceSource]
    begin: Callable[[datetime], None] = lambda _now: None
    """Called before the first cycle, and before the first cycle after a restore."""
    prepare: Callable[[], str] = str
    """Called before each tick. Returns why nothing can be watched, in words; empty if it can."""


def sensors(watch: Watch) -> list[dg.SensorDefinition]:
    """The two sensors; both run by default."""
    return [_cycle_sensor(watch), _run_failure_sensor(watch)]


class _Graph:
    """The asset graph of the code location, converted once."""

    def __init__(self) -> None:
        self.lineage: Lineage | None = None

    def of(self, repository: dg.RepositoryDefinition | None) -> Lineage | None:
        if self.lineage is None and repository is not None:
            self.lineage = lineage_of_repository(repository)
        return self.lineage


def _wall() -> datetime:
    return datetime.now(UTC)


def _cycle_sensor(watch: Watch) -> dg.SensorDefinition:
    graph = _Graph()
    listener = Listener()
    kept: list[Ledger] = []
    """The ledger into which the schedules and columns were written; empty before that. After a restore the home has
    another ledger, and they are written again.
    """

    def decide(context: dg.SensorEvaluationContext) -> CycleReport:
        lineage = graph.of(context.repository_def)
        ledger = open_ledger(watch.settings)
        if context.repository_def is not None and ledger not in kept:
            remember_schedules(ledger, schedules_of(context.repository_def), watch.settings.now())
            watch.begin(watch.settings.now())
            kept[:] = [ledger]
        # Dagster closes the instance of a tick when the tick ends, and the cycles go on. So they open an instance of
        # their own.
        reference = context.instance.get_ref()

        @contextmanager
        def work() -> Iterator[Work]:
            with dg.DagsterInstance.from_ref(reference) as instance:
                yield _work(watch, instance, lineage)

        return listener.tick(work)

    @dg.sensor(
        name="alert_cycle",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Observe, decide, record, notify: the alert path, every few seconds.",
    )
    def alert_cycle(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if why := watch.prepare():
            return dg.SkipReason(why)
        try:
            report = decide(context)
        except Exception as error:
            # The failed tick is seen only by a person who opens the UI. So the error is also sent once, without the
            # ledger.
            found = cause_in_ledger(error, watch.settings.ledger_url)
            if found is not None:
                spare.tell(watch.settings, watch.catalog, watch.settings.now(), str(found), _wall)
            if found is None or found is error:
                raise
            raise found from error
        # If the cycle has not ended, it may be waiting for the ledger. A server that does not answer raises no error,
        # so the ledger is asked here.
        if not report.ended and (why := silent(watch.settings.ledger_url)):
            spare.tell(watch.settings, watch.catalog, watch.settings.now(), why, _wall)
        if report.ended and spare.told(watch.settings):
            spare.take_back(watch.settings, watch.catalog, watch.settings.now(), _wall)
        return dg.SkipReason(words(report))

    return alert_cycle


def _work(watch: Watch, instance: dg.DagsterInstance, lineage: Lineage | None) -> Work:
    def cycle() -> CycleReport:
        return run_once(
            watch.settings,
            watch.catalog,
            watch.settings.now(),
            instance,
            lineage=lineage,
            clock=_wall,
            observers=watch.observers,
            evidence=watch.evidence,
            daemon=True,
        )

    def ours() -> bool:
        deciding = authority.recorded(open_ledger(watch.settings))
        return deciding is not None and deciding.holder == str(current())

    def newest() -> int:
        return instance.event_log_storage.get_maximum_record_id() or 0

    return Work(cycle=cycle, newest=newest, ours=ours, now=watch.settings.now)


def words(report: CycleReport) -> str:
    """One line about a cycle, for the tick history."""
    before = f"; a cycle before failed: {report.failed_before}" if report.failed_before else ""
    if report.skipped:
        return report.skipped + before
    failed = report.delivery.failed + report.delivery.dead
    errors = {**report.observer_errors, **report.delivery.errors}
    causes = "".join(f"; {name}: {error}" for name, error in errors.items())
    return (
        f"{counted(report.signals, 'new signal')}, {counted(len(report.fired), 'alert')} fired, "
        f"{len(report.resolved)} resolved, "
        f"{counted(report.delivery.delivered, 'message')} delivered, {failed} failed{causes}{before}"
    )


def _run_failure_sensor(watch: Watch) -> dg.SensorDefinition:
    graph = _Graph()

    @dg.run_failure_sensor(
        name="run_failure_alerts",
        monitor_all_code_locations=True,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes the signals of a failed run, as the alert cycle does from the log; each is stored once.",
    )
    def run_failure_alerts(context: dg.RunFailureSensorContext) -> None:
        if watch.prepare():
            return
        now = watch.settings.now()
        at = watch.settings.as_of or datetime.fromtimestamp(_ended(context), UTC)
        lineage = graph.of(context.repository_def) or Lineage()
        signals = signals_of_run(
            context.instance, context.dagster_run, succeeded=False, at=at, now=now, lineage=lineage
        )
        # The signals are only stored here. If this function sent something and then failed, the message could be
        # repeated or lost.
        open_ledger(watch.settings).append(signals, now=now)

    return run_failure_alerts


def _ended(context: dg.RunFailureSensorContext) -> float:
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    return record.end_time if record is not None and record.end_time is not None else time.time()
