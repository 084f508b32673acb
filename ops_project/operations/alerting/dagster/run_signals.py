"""Turns a run that has ended into signals: about the run, about the assets whose own step failed, and about the checks
that crashed. An asset that was skipped because an asset upstream failed is not a cause, so it gives no signal. It
counts among the assets that the failure affects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster import DagsterEventType

from ops_project.dagster_bridge.asset_graph import asset_name
from ops_project.dagster_bridge.run_events import class_of, events_of, log_of_failure, words_of
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.failures import classify_attempts, classify_message
from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import FIRING, OK, Signal

WANTED = {
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_SUCCESS,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_UP_FOR_RETRY,
    DagsterEventType.RUN_FAILURE,
}
MESSAGE_LENGTH = 4000


@dataclass
class _Step:
    planned: set[str] = field(default_factory=set)
    checks: set[tuple[str, str]] = field(default_factory=set)
    started: bool = False
    ended: bool = False
    failed: Any = None
    retries: list[tuple[datetime, Any]] = field(default_factory=list)


@dataclass
class _Run:
    steps: dict[str, _Step] = field(default_factory=dict)
    built: set[str] = field(default_factory=set)
    evaluated: set[tuple[str, str]] = field(default_factory=set)
    by_partition: set[tuple[str, str]] = field(default_factory=set)
    """Checks that have partitions of their own. The result of any other check is about the whole table, even if the run
    has a partition.
    """
    blocked: set[str] = field(default_factory=set)
    """Assets with a blocking check that has failed."""
    failure: str = ""

    def step(self, key: str | None) -> _Step:
        return self.steps.setdefault(key or "", _Step())


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _read(instance: dg.DagsterInstance, run_id: str) -> _Run:
    run = _Run()
    for event in events_of(instance, run_id, WANTED):
        step = run.step(event.step)
        asset = asset_name(event.asset) if event.asset is not None else ""
        if event.kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED:
            step.planned.add(asset)
        elif event.kind == DagsterEventType.ASSET_MATERIALIZATION:
            run.built.add(asset)
        elif event.kind == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            step.checks.add((asset, event.check))
            if event.data.partitions_subset is not None:
                run.by_partition.add((asset, event.check))
        elif event.kind == DagsterEventType.ASSET_CHECK_EVALUATION:
            run.evaluated.add((asset, event.check))
            if not event.data.passed and event.data.blocking and event.data.severity == dg.AssetCheckSeverity.ERROR:
                run.blocked.add(asset)
        elif event.kind == DagsterEventType.STEP_START:
            step.started = True
        elif event.kind == DagsterEventType.STEP_SUCCESS:
            step.ended = True
        elif event.kind == DagsterEventType.STEP_FAILURE:
            step.ended, step.failed = True, event.data
        elif event.kind == DagsterEventType.STEP_UP_FOR_RETRY:
            step.retries.append((_moment(event.timestamp), event.data))
        elif event.kind == DagsterEventType.RUN_FAILURE:
            error, said = words_of(event.data), event.message or "the run failed without a message"
            # If no step has begun, only this event says what happened.
            run.failure = f"{error} ({said})" if error else said
    return run


def failed_assets(planned: set[str], built: set[str], blocked: set[str], lineage: Lineage) -> set[str]:
    """The assets of one failed step that failed themselves. Such an asset was planned and not built, although
    everything upstream of it was built.

    A step may build many assets (dbt). Then everything downstream of a failed node, or of a failed blocking check, was
    only skipped.
    """
    missing = planned - built
    return {key for key in missing if not lineage.ancestors(key) & (missing | blocked)}


def _words(data: Any, before: Sequence[Any] = ()) -> tuple[str, str]:
    """The last message of a failed step, and its failure class.

    `before`: the data of the step's earlier attempts. The class is that of the first of these attempts whose class is
    known, because a retry may fail only because of what the first attempt left behind.
    """
    text = words_of(data)
    earlier = classify_attempts([log_of_failure(attempt) for attempt in before]).failure_class if before else "unknown"
    known = earlier if earlier != "unknown" else class_of(data) or classify_message(log_of_failure(data)).failure_class
    return (text or "failed without a message")[:MESSAGE_LENGTH], known


def _step_words(step: _Step) -> tuple[str, str]:
    return _words(step.failed, [data for _, data in step.retries])


def signals_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, *, succeeded: bool, at: datetime, now: datetime, lineage: Lineage
) -> list[Signal]:
    """All signals that the end of this run gives."""
    if run.tags.get("dagster/will_retry") == "true":
        # Dagster will try again. So this failure is not reported, and the run does not count as ended.
        return _first_attempt(run, True, at, now)
    if run.status == dg.DagsterRunStatus.CANCELED:
        # A person ended the run, so nobody needs to be told.
        return []
    partition = run.tags.get("dagster/partition", "")
    labels = _labels(run)
    common: dict[str, Any] = {
        "event_at": at,
        "observed_at": now,
        "pipeline": run.job_name,
        "run_id": run.run_id,
        "occurrence": run.run_id,
        "labels": labels,
    }
    seen = _read(instance, run.run_id)
    retries = _retries(seen, run, now, labels)
    if succeeded:
        return [
            Signal(kind="run.failure", state=OK, value=0.0, domain=_domain(run, set(), lineage), **common),
            _outcome(run, True, at, now, labels),
            *_first_attempt(run, bool(retries), at, now),
            *_steps(seen, run, at, now),
            *_repaired_steps(seen, common, _domain(run, set(), lineage)),
            *retries,
        ]
    failed: dict[str, tuple[str, str]] = {}
    signals: list[Signal] = []
    for key, step in sorted(seen.steps.items()):
        killed = step.started and not step.ended
        if step.failed is None and not killed:
            continue
        words, failure_class = _step_words(step) if step.failed is not None else (seen.failure, "process_killed")
        assets = failed_assets(step.planned, seen.built, seen.blocked, lineage)
        for asset in sorted(assets):
            failed[asset] = (words, failure_class)
        crashed = [check for check in step.checks - seen.evaluated if check[0] in seen.built or not step.planned]
        for check in sorted(crashed):
            of = partition if check in seen.by_partition else ""
            signals.append(_crashed(check, common, of, lineage, words))
        if not assets and not crashed and not step.planned and not step.checks:
            signals.append(
                Signal(
                    kind="step.failure",
                    state=FIRING,
                    check=key,
                    message=words,
                    failure_class=failure_class,
                    domain=_domain(run, set(), lineage),
                    **common,
                )
            )
    for asset, (words, failure_class) in failed.items():
        facts = lineage.get(asset)
        signals.append(
            Signal(
                kind="asset.failure",
                state=FIRING,
                value=1.0,
                asset=asset,
                partition=partition,
                owners=facts.owners,
                domain=facts.domain,
                message=words,
                failure_class=failure_class,
                **common,
            )
        )
    concerned = set(failed) or seen.blocked or {asset for signal in signals if (asset := signal.asset)}
    first = next(iter(failed.values()), None)
    if first is None:
        stated = next((_step_words(step) for step in seen.steps.values() if step.failed is not None), None)
        first = stated or (seen.failure, classify_message(seen.failure).failure_class)
    owners = tuple(dict.fromkeys(owner for asset in sorted(concerned) for owner in lineage.get(asset).owners))
    return [
        Signal(
            kind="run.failure",
            state=FIRING,
            value=1.0,
            domain=_domain(run, concerned, lineage),
            owners=owners,
            assets=tuple(sorted(concerned)),
            message=first[0],
            failure_class=first[1],
            **common,
        ),
        _outcome(run, False, at, now, labels),
        *_first_attempt(run, True, at, now),
        *_steps(seen, run, at, now),
        *_repaired_steps(seen, common, _domain(run, set(), lineage)),
        *signals,
        *retries,
    ]


def signals_of_terminated(run: dg.DagsterRun, at: datetime, now: datetime, lineage: Lineage) -> list[Signal]:
    """The signals of a run that was terminated. A scheduled run has not done its work, so it counts as failed. A run
    that a person had started by hand gives no signal.
    """
    labels = _labels(run)
    if labels["scheduled"] != "true":
        return []
    return [
        Signal(
            kind="run.failure",
            state=FIRING,
            value=1.0,
            event_at=at,
            observed_at=now,
            occurrence=run.run_id,
            pipeline=run.job_name,
            run_id=run.run_id,
            domain=_domain(run, set(), lineage),
            message="the run was terminated before it ended",
            failure_class="process_killed",
            labels=labels,
        ),
        _outcome(run, False, at, now, labels),
    ]


def _repaired_steps(seen: _Run, common: Mapping[str, Any], domain: str) -> list[Signal]:
    """An ok signal for each step that succeeded and builds no asset. The results of the other steps do not matter."""
    return [
        Signal(kind="step.failure", state=OK, value=0.0, check=key, domain=domain, **common)
        for key, step in sorted(seen.steps.items())
        if key and step.ended and step.failed is None and not step.planned and not step.checks
    ]


def _labels(run: dg.DagsterRun) -> dict[str, str]:
    labels = {"scheduled": "true" if "dagster/schedule_name" in run.tags else "false"}
    start, end = run.tags.get("dagster/asset_partition_range_start"), run.tags.get("dagster/asset_partition_range_end")
    if start and end:
        labels["partitions"] = start if start == end else f"{start} … {end}"
    return labels


def _domain(run: dg.DagsterRun, assets: set[str], lineage: Lineage) -> str:
    selected = {asset_name(key) for key in run.asset_selection or ()}
    domains = [lineage.get(asset).domain for asset in sorted(assets or selected)]
    return run.tags.get(DOMAIN_TAG) or next((domain for domain in domains if domain), "")


def _outcome(run: dg.DagsterRun, succeeded: bool, at: datetime, now: datetime, labels: Mapping[str, str]) -> Signal:
    return Signal(
        kind="run.outcome",
        state=OK if succeeded else FIRING,
        event_at=at,
        observed_at=now,
        occurrence=run.run_id,
        value=0.0 if succeeded else 1.0,
        total=1.0,
        pipeline=run.job_name,
        run_id=run.run_id,
        labels=labels,
        domain=run.tags.get(DOMAIN_TAG, ""),
    )


def _first_attempt(run: dg.DagsterRun, failed: bool, at: datetime, now: datetime) -> list[Signal]:
    """The signal that says whether the first attempt succeeded. A run that is itself a retry gives none."""
    if "dagster/retry_number" in run.tags:
        return []
    return [
        Signal(
            kind="run.first_attempt",
            state=FIRING if failed else OK,
            event_at=at,
            observed_at=now,
            total=1.0,
            occurrence=run.run_id,
            value=float(failed),
            pipeline=run.job_name,
            run_id=run.run_id,
            domain=run.tags.get(DOMAIN_TAG, ""),
        )
    ]


def _steps(seen: _Run, run: dg.DagsterRun, at: datetime, now: datetime) -> list[Signal]:
    """The signal that says how many steps of a run failed, after all their retries."""
    begun = [step for key, step in seen.steps.items() if key and step.started]
    if not begun:
        return []
    failed = sum(step.failed is not None or not step.ended for step in begun)
    return [
        Signal(
            kind="step.outcome",
            state=FIRING if failed else OK,
            event_at=at,
            observed_at=now,
            value=float(failed),
            total=float(len(begun)),
            occurrence=run.run_id,
            pipeline=run.job_name,
            run_id=run.run_id,
            domain=run.tags.get(DOMAIN_TAG, ""),
        )
    ]


def _crashed(
    check: tuple[str, str], common: Mapping[str, Any], partition: str, lineage: Lineage, message: str
) -> Signal:
    """The signal of a check that was planned but not evaluated, because its step failed. A later evaluation gives the
    ok signal for the same partition.
    """
    asset, name = check
    return Signal(
        kind="check.crash",
        state=FIRING,
        value=1.0,
        asset=asset,
        check=name,
        partition=partition,
        owners=lineage.get(asset).owners,
        domain=lineage.get(asset).domain,
        message=message,
        failure_class="code_error",
        **common,
    )


def _retries(seen: _Run, run: dg.DagsterRun, now: datetime, labels: Mapping[str, str]) -> list[Signal]:
    return [
        Signal(
            kind="step.retry",
            state=FIRING,
            event_at=at,
            observed_at=now,
            occurrence=f"{run.run_id}:{key}:{attempt}",
            value=1.0,
            pipeline=run.job_name,
            check=key,
            run_id=run.run_id,
            labels=labels,
        )
        for key, step in sorted(seen.steps.items())
        for attempt, (at, _) in enumerate(step.retries)
    ]
