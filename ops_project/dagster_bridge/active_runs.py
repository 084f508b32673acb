"""The runs that run or wait in Dagster now, and how long successful runs took, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from ops_project.dagster_bridge.asset_graph import asset_name
from ops_project.dagster_bridge.run_events import events_of
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.dagster_bridge.runs import process_of

ACTIVE = [DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
BEGINS = {DagsterEventType.STEP_START, DagsterEventType.STEP_RESTARTED}
ENDS = {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_UP_FOR_RETRY}


@dataclass(frozen=True)
class ActiveRun:
    """A run that has not ended."""

    run_id: str
    job: str
    domain: str
    waiting: bool
    """Whether the run is queued and has not started."""
    since: datetime
    """The time at which the run started. If the run still waits: the time at which it was queued."""
    last_event_at: datetime
    steps: Mapping[str, datetime] = field(default_factory=dict)
    """Steps that run now → the time of their start."""
    process: str = ""
    building: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Step → the assets that the step must still build."""


@dataclass(frozen=True)
class PastRun:
    """A run that succeeded."""

    run_id: str
    seconds: float
    steps: Mapping[str, float]
    assets: Mapping[str, str]
    """Asset → the step that built it."""


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def active_runs(instance: dg.DagsterInstance) -> list[ActiveRun]:
    """The runs that have not ended, the oldest first."""
    result = []
    for record in instance.get_run_records(RunsFilter(statuses=ACTIVE), ascending=True):
        run = record.dagster_run
        waiting = run.status in (DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED)
        steps: dict[str, datetime] = {}
        building: dict[str, set[str]] = {}
        last = record.start_time or record.create_timestamp.timestamp()
        if not waiting:
            for event in events_of(instance, run.run_id):
                last = max(last, event.timestamp)
                if event.kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset is not None:
                    building.setdefault(event.step, set()).add(asset_name(event.asset))
                elif event.kind == DagsterEventType.ASSET_MATERIALIZATION and event.asset is not None:
                    building.setdefault(event.step, set()).discard(asset_name(event.asset))
                elif event.kind in BEGINS and event.step:
                    steps[event.step] = _moment(event.timestamp)
                elif event.kind in ENDS and event.step:
                    steps.pop(event.step, None)
        since = record.start_time if not waiting and record.start_time else record.create_timestamp.timestamp()
        result.append(
            ActiveRun(
                run_id=run.run_id,
                job=run.job_name,
                domain=run.tags.get(DOMAIN_TAG, ""),
                waiting=waiting,
                since=_moment(since),
                last_event_at=_moment(last),
                steps=steps,
                process=process_of(instance, run),
                building={step: frozenset(assets) for step, assets in building.items()},
            )
        )
    return result


def newest_success(instance: dg.DagsterInstance, job: str) -> str:
    """Id of the last successful run of a job; empty if there is none."""
    found = instance.get_run_records(RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS]), limit=1)
    return found[0].dagster_run.run_id if found else ""


def past_successes(instance: dg.DagsterInstance, job: str, limit: int = 20) -> list[PastRun]:
    """The last successful runs of a job, newest first."""
    result = []
    for record in instance.get_run_records(RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS]), limit=limit):
        if record.start_time is None or record.end_time is None:
            continue
        steps: dict[str, float] = {}
        started: dict[str, float] = {}
        assets: dict[str, str] = {}
        wanted = {DagsterEventType.STEP_START, DagsterEventType.STEP_SUCCESS, DagsterEventType.ASSET_MATERIALIZATION}
        for event in events_of(instance, record.dagster_run.run_id, wanted):
            if event.kind == DagsterEventType.STEP_START:
                started[event.step] = event.timestamp
            elif event.kind == DagsterEventType.STEP_SUCCESS:
                steps[event.step] = event.timestamp - started.get(event.step, event.timestamp)
            elif event.asset is not None:
                assets[asset_name(event.asset)] = event.step
        result.append(PastRun(record.dagster_run.run_id, record.end_time - record.start_time, steps, assets))
    return result
