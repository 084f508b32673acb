"""The objects of the operations layer over our own pipelines."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ops_project.counted import counted
from ops_project.dagster_bridge.asset_graph import lineage_of_repository
from ops_project.dagster_bridge.ticks import schedules_of
from ops_project.defs.operations.after_run import remember_columns
from ops_project.defs.operations.archive_job import archive_definitions
from ops_project.defs.operations.backups import backup_definitions
from ops_project.defs.operations.evidence import SOURCES
from ops_project.defs.operations.observers import OBSERVERS
from ops_project.defs.operations.open_alerts import open_alert_checks
from ops_project.defs.operations.reports import report_sensor
from ops_project.defs.operations.sensors import Watch, sensors
from ops_project.defs.shared.site import Site


def build(site: Site, assets: Sequence[dg.AssetKey]) -> dg.Definitions:
    """The sensors of the alert path and of reports, the checks that show open alerts, the check of the archive, and
    backups.
    """
    return dg.Definitions.merge(
        dg.Definitions(
            asset_checks=[open_alert_checks(site, assets)], sensors=[*sensors(watch_of(site)), report_sensor(site)]
        ),
        archive_definitions(site),
        backup_definitions(site),
    )


def sensors(site: Site) -> list[dg.SensorDefinition]:
    """The two sensors; both run by default."""
    return [_cycle_sensor(site), _run_failure_sensor(site)]


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


def _cycle_sensor(site: Site) -> dg.SensorDefinition:
    graph = _Graph()
    listener = Listener()
    kept: list[Ledger] = []
    """The ledger into which the schedules and columns were written; empty before that. After a restore the home has
    another ledger, and they are written again.
    """

    def decide(context: dg.SensorEvaluationContext) -> CycleReport:
        lineage = graph.of(context.repository_def)
        ledger = open_ledger(site.settings)
        if context.repository_def is not None and ledger not in kept:
            remember_schedules(ledger, schedules_of(context.repository_def), site.settings.now())
            remember_columns(site, site.settings.now())
            kept[:] = [ledger]
        # Dagster closes the instance of a tick when the tick ends, and the cycles go on. So they open an instance of
        # their own.
        reference = context.instance.get_ref()

        @contextmanager
        def work() -> Iterator[Work]:
            with dg.DagsterInstance.from_ref(reference) as instance:
                yield _work(site, instance, lineage)

        return listener.tick(work)

    @dg.sensor(
        name="alert_cycle",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Observe, decide, record, notify: the alert path, every few seconds.",
    )
    def alert_cycle(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            report = decide(context)
        except Exception as error:
            # The failed tick is seen only by a person who opens the UI. So the error is also sent once, without the
            # ledger.
            found = cause_in_ledger(error, site.settings.ledger_url)
            if found is not None:
                spare.tell(site.settings, site.catalog, site.settings.now(), str(found), _wall)
            if found is None or found is error:
                raise
            raise found from error
        # If the cycle has not ended, it may be waiting for the ledger. A server that does not answer raises no error,
        # so the ledger is asked here.
        if not report.ended and (why := silent(site.settings.ledger_url)):
            spare.tell(site.settings, site.catalog, site.settings.now(), why, _wall)
        if report.ended and spare.told(site.settings):
            spare.take_back(site.settings, site.catalog, site.settings.now(), _wall)
        return dg.SkipReason(words(report))

    return alert_cycle


def _work(site: Site, instance: dg.DagsterInstance, lineage: Lineage | None) -> Work:
    def cycle() -> CycleReport:
        return run_once(
            site.settings,
            site.catalog,
            site.settings.now(),
            instance,
            lineage=lineage,
            clock=_wall,
            observers=OBSERVERS,
            evidence=SOURCES,
            daemon=True,
        )

    def ours() -> bool:
        deciding = authority.recorded(open_ledger(site.settings))
        return deciding is not None and deciding.holder == str(current())

    def newest() -> int:
        return instance.event_log_storage.get_maximum_record_id() or 0

    return Work(cycle=cycle, newest=newest, ours=ours, now=site.settings.now)


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


def _run_failure_sensor(site: Site) -> dg.SensorDefinition:
    graph = _Graph()

    @dg.run_failure_sensor(
        name="run_failure_alerts",
        monitor_all_code_locations=True,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes the signals of a failed run, as the alert cycle does from the log; each is stored once.",
    )
    def run_failure_alerts(context: dg.RunFailureSensorContext) -> None:
        now = site.settings.now()
        at = site.settings.as_of or datetime.fromtimestamp(_ended(context), UTC)
        lineage = graph.of(context.repository_def) or Lineage()
        signals = signals_of_run(
            context.instance, context.dagster_run, succeeded=False, at=at, now=now, lineage=lineage
        )
        # The signals are only stored here. If this function sent something and then failed, the message could be
        # repeated or lost.
        open_ledger(site.settings).append(signals, now=now)

    return run_failure_alerts


def _ended(context: dg.RunFailureSensorContext) -> float:
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    return record.end_time if record is not None and record.end_time is not None else time.time()
