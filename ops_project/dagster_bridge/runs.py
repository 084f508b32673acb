"""What Dagster's instance knows about runs: runs whose process died, the tables that a run built, and its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from ops_project.dagster_bridge.quiet_retries import quiet_retries
from ops_project.dagster_bridge.run_events import events_of, words_of
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG, PARENT_TAG, PROCESS_TAG, tag_of
from ops_project.dagster_bridge.runs_file import IN_A_PROCESS, RunFacts, moment, seen
from ops_project.dagster_bridge.storage_errors import StorageUnusable, misconfigured, storage_words
from ops_project.process import locks
from ops_project.process.processes import Process, current
from ops_project.settings import Settings

UNFINISHED = [DagsterRunStatus(status) for status in IN_A_PROCESS]


@dataclass(frozen=True)
class CheckOutcome:
    """The last evaluation of a check in a run. `passed` is None if the check was planned and never evaluated."""

    asset: tuple[str, ...]
    name: str
    blocking: bool
    passed: bool | None
    severity: str = "ERROR"
    description: str = ""

    @property
    def failed(self) -> bool:
        return self.passed is False and self.severity == "ERROR"

    @property
    def warned(self) -> bool:
        return self.passed is False and self.severity != "ERROR"

    @property
    def blocks(self) -> bool:
        """Whether the check forbids publishing: it is blocking, and it failed or was never evaluated."""
        return self.blocking and (self.failed or self.passed is None)


@dataclass(frozen=True)
class RunOutcome:
    """What a run did, as its events show."""

    planned: frozenset[tuple[str, ...]]
    built: frozenset[tuple[str, ...]]
    checks: tuple[CheckOutcome, ...]
    rows: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    failures: tuple[tuple[str, str], ...] = ()
    """(step, the step's message)."""

    @property
    def failed_checks(self) -> int:
        return sum(check.failed for check in self.checks)


def outcome(instance: dg.DagsterInstance, run_id: str) -> RunOutcome:
    """What a run did. The events of the run are read only once."""
    planned, built, rows, failures = set(), set(), {}, []
    checks: dict[tuple[tuple[str, ...], str], CheckOutcome] = {}
    wanted = {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION,
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.RUN_FAILURE,
    }
    for event in events_of(instance, run_id, wanted):
        key = tuple(event.asset.path) if event.asset is not None else ()
        if event.kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
            planned.add(key)
        elif event.kind == DagsterEventType.ASSET_MATERIALIZATION:
            built.add(key)
            if "dagster/row_count" in event.data.metadata:
                count = event.data.metadata["dagster/row_count"].value
                rows[key] = int(count) if isinstance(count, int | float) else 0
        elif event.kind == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            checks.setdefault((key, event.check), CheckOutcome(key, event.check, blocking=False, passed=None))
        elif event.kind == DagsterEventType.ASSET_CHECK_EVALUATION:
            checks[key, event.check] = CheckOutcome(
                asset=key,
                name=event.check,
                blocking=bool(event.data.blocking),
                passed=event.data.passed,
                severity=event.data.severity.value,
                description=event.data.description or "",
            )
        elif event.kind == DagsterEventType.STEP_FAILURE:
            failures.append((event.step, _in_a_line(event.data) or "failed without a message"))
        elif event.kind == DagsterEventType.RUN_FAILURE and not failures:
            # No step failed, so the run could not begin, or it was ended from outside. Only the event of the run itself
            # says why.
            failures.append(("run", _in_a_line(event.data) or event.message or "failed without a message"))
    return RunOutcome(frozenset(planned), frozenset(built), tuple(checks.values()), rows, tuple(failures))


def _in_a_line(failure: object) -> str:
    return " ".join(words_of(failure).split())


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The persisted instance of the home that is exported (DAGSTER_HOME). Use it as a context manager.

    Only one process at a time makes the tables. With Dagster's own code, two of five processes that started on an empty
    home failed with `table already exists`. Raises StorageUnusable.
    """
    with locks.hold(settings.dagster_home / ".opening", owner="opening Dagster's storage", now=settings.now()):
        quiet_retries()
        try:
            return dg.DagsterInstance.get()
        except Exception as error:
            # Opening the instance reads only dagster.yaml and the storage. So if the storage is not the cause,
            # dagster.yaml is.
            words = storage_words(error, settings.dagster_home) or misconfigured(settings.dagster_home, error)
            raise StorageUnusable(words) from error


def last_runs(
    instance: dg.DagsterInstance, domains: Iterable[str], died: locks.Holder | None = None
) -> dict[str, RunFacts]:
    """Domain → its newest run; domains that never ran are absent. `died`: the process that ended while it held the
    writer's lock.
    """
    found = {}
    for domain in domains:
        for record in instance.get_run_records(RunsFilter(tags={DOMAIN_TAG: domain}), limit=1):
            run = record.dagster_run
            found[domain] = RunFacts(
                run.run_id,
                run.job_name,
                seen(run.status.value, run.run_id, process_of(instance, run), died),
                moment(record.start_time),
                moment(record.end_time),
            )
    return found


def identify(instance: dg.DagsterInstance, run_id: str, tags: Mapping[str, str]) -> None:
    """Record in a run's tags which process executes it, and further facts that are known only now."""
    instance.add_run_tags(run_id, {**tags, PROCESS_TAG: str(current())})


def process_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """The tag that names the process of a run; empty if the run has none of its own. If Dagster's UI executes a run
    again, the new run has a copy of its parent's tag until the process of the new run replaces it.
    """
    own = tag_of(run.tags, PROCESS_TAG)
    if own and PARENT_TAG in run.tags and run.status in UNFINISHED:
        parent = instance.get_run_by_id(run.tags[PARENT_TAG])
        if parent is not None and tag_of(parent.tags, PROCESS_TAG) == own:
            return ""
    return own


def process_tags() -> dict[str, str]:
    """Tags of a run that this process is about to start."""
    return {PROCESS_TAG: str(current())}


def mark_canceled(instance: dg.DagsterInstance, run_id: str, why: str) -> None:
    """Record that a person ended this run. For Dagster, a run that was interrupted in this process has failed."""
    run = instance.get_run_by_id(run_id)
    if run is not None:
        instance.report_run_canceled(run, why)


def mark_dead_runs(instance: dg.DagsterInstance, now: datetime, left: str | None = None) -> list[str]:
    """End the runs whose process died, and free their pool slots. Returns what was done, in words.

    `left`: the run that held the writer's lock and died with it. This run is ended even if its process cannot be seen
    from here.
    """
    from ops_project.dagster_bridge.storage import EventLog

    done = []
    for record in instance.get_run_records(RunsFilter(statuses=UNFINISHED)):
        run = record.dagster_run
        process = Process.parse(process_of(instance, run))
        if process is None or not (process.gone() or (run.run_id == left and not process.alive())):
            continue
        message = (
            f"The process of this run (pid {process.pid}) ended without a message: it was killed, or the machine was "
            f"restarted. Found at {now.isoformat(timespec='seconds')}. Nothing needs cleaning up: run it again."
        )
        if isinstance(instance.event_log_storage, EventLog):  # PostgreSQL has one table, and so no index beside it.
            instance.event_log_storage.complete_index(run.run_id)
        instance.report_run_failed(run, message)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        done.append(f"run {run.run_id[:8]} ({run.job_name}): its process {process.pid} is gone; marked failed")
    return done
