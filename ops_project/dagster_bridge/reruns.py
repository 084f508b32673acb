"""A run and its reruns in Dagster: finds the run that a text means, and the joint outcome of its reruns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus, RunsFilter

from ops_project.dagster_bridge.run_events import class_of, events_of, log_of_failure
from ops_project.dagster_bridge.run_tags import PARENT_TAG, PART_TAG
from ops_project.dagster_bridge.runs import CheckOutcome, RunOutcome, outcome
from ops_project.failures import classify_message

ROOT, PARENT = "dagster/root_run_id", PARENT_TAG
SHORTEST = 4
ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


class NoRun(LookupError):
    """No run matches the text, or several do. The message lists the runs."""


def find(instance: dg.DagsterInstance, text: str) -> dg.DagsterRun:
    """The run whose id begins with `text`. Raises NoRun."""
    newest = [record.dagster_run for record in instance.get_run_records(limit=2_000)]
    found = [run for run in newest if run.run_id.startswith(text)] if len(text) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    which = "several runs begin" if found else "no run begins"
    listed = "; ".join(f"{run.run_id[:8]} ({run.job_name}, {run.status.value.lower()})" for run in newest[:8])
    raise NoRun(f"{which} with {text!r}; the newest: {listed or 'none'}")


def chain(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[dg.DagsterRun]:
    """The run that came first, and its reruns, oldest first."""
    root = run.tags.get(ROOT, run.run_id)
    reruns = [record.dagster_run for record in instance.get_run_records(RunsFilter(tags={ROOT: root}))]
    first = instance.get_run_by_id(root)
    return [*([first] if first is not None else []), *reversed(reruns)]


def rerun_tags(run: dg.DagsterRun) -> dict[str, str]:
    """The tags of a rerun. With them, Dagster shows the run and its reruns together."""
    return {PARENT: run.run_id, ROOT: run.tags.get(ROOT, run.run_id)}


def is_whole(instance: dg.DagsterInstance, run: dg.DagsterRun, outcome: RunOutcome) -> bool:
    """Whether a run has built its whole job. A rerun of some assets counts as whole if nothing of a whole run is left
    to build after it.

    `outcome`: the joint outcome of the run and of the earlier runs that it repeats.
    """
    if PARENT not in run.tags:
        return PART_TAG not in run.tags
    return any(PART_TAG not in item.tags for item in chain(instance, run)) and outcome.planned <= outcome.built


def together(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunOutcome:
    """The joint outcome of a run and of the earlier runs that it repeats. The failures are those of `run` alone."""
    runs = chain(instance, run)
    until = next((number for number, item in enumerate(runs) if item.run_id == run.run_id), len(runs) - 1)
    return merged([outcome(instance, item.run_id) for item in runs[: until + 1]])


def merged(outcomes: Iterable[RunOutcome]) -> RunOutcome:
    """The joint outcome of several outcomes, the oldest first. If a check ran several times, its last result counts."""
    result = RunOutcome(frozenset(), frozenset(), ())
    checks: dict[tuple[tuple[str, ...], str], CheckOutcome] = {}
    for found in outcomes:
        for check in found.checks:
            if check.passed is not None or (check.asset, check.name) not in checks:
                checks[check.asset, check.name] = check
        result = replace(
            found,
            planned=result.planned | found.planned,
            built=result.built | found.built,
            checks=tuple(checks.values()),
            rows={**result.rows, **found.rows},
        )
    return result


def failure_classes(instance: dg.DagsterInstance, run_id: str) -> frozenset[str]:
    """The failure classes of the steps that failed."""
    found = set()
    for event in events_of(instance, run_id, {DagsterEventType.STEP_FAILURE}):
        found.add(class_of(event.data) or classify_message(log_of_failure(event.data)).failure_class)
    return frozenset(found)
