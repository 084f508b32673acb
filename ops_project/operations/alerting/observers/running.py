"""Observer of runs that wait, run, are slow or make no progress. When a run has ended, its last reading is a zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ops_project.dagster_bridge import active_runs as bridge
from ops_project.model.alerting.signal import FIRING, OK, Signal, digest
from ops_project.operations.alerting.observers.observer import Observation, View
from ops_project.operations.alerting.service_levels import standing as service_levels
from ops_project.operations.alerting.service_levels.durations import Baseline, pace
from ops_project.operations.alerting.service_levels.standing import BASELINES
from ops_project.process import locks
from ops_project.process.processes import Process

NO_PROGRESS = timedelta(hours=1)
NOT_STARTING = timedelta(minutes=10)
GAUGES = (
    "run.queued_seconds",
    "run.duration_seconds",
    "run.duration_ratio",
    "step.duration_seconds",
    "step.duration_ratio",
    "resource.queue_length",
)


def look(view: View) -> Observation:
    """One reading for each run and step, and a zero for each run or step that had a reading before and has ended."""
    runs = _waiting_for_the_lock(view, bridge.active_runs(view.instance))
    baselines = learn(view, sorted({run.job for run in runs} | _promised(view)))
    found: list[Signal] = []
    for run in runs:
        found += _of_run(view, run, baselines.get(run.job, Baseline()))
    found.append(_reading(view, "resource.queue_length", float(sum(run.waiting for run in runs)), job="", check=""))
    seen = {signal.fingerprint for signal in found}
    for kind in (*GAUGES, "run.stuck"):
        for fingerprint, before in view.ledger.latest(kind).items():
            if fingerprint not in seen and (before.value or before.state == FIRING):
                found.append(
                    _reading(
                        view,
                        kind,
                        0.0,
                        job=before.pipeline,
                        check=before.check,
                        domain=before.domain,
                        run_id=before.run_id,
                    )
                )
    # A queue that stays empty does not need a reading every half minute.
    last = {f: s.value for f, s in view.ledger.latest("resource.queue_length").items()}
    return Observation([s for s in found if s.value or s.kind != "resource.queue_length" or last.get(s.fingerprint)])


def _waiting_for_the_lock(view: View, runs: list[bridge.ActiveRun]) -> list[bridge.ActiveRun]:
    """The runs. A run that waits for the warehouse is marked as queued: Dagster calls it started, but it has no step
    yet, and another run holds the lock. So it does not count as a run without progress.
    """
    if not any(run.waiting or run.steps for run in runs) and len(runs) < 2:
        return runs
    holder = locks.holder(view.settings.lock)
    if holder is None:
        return runs
    return [
        replace(run, waiting=True)
        if not run.waiting
        and not run.steps
        and (process := Process.parse(run.process)) is not None
        and process.alive()
        and process.pid != holder.pid
        else run
        for run in runs
    ]


def _promised(view: View) -> set[str]:
    """Pipelines of service levels that have succeeded since their durations were last learned. Their durations are
    learned even if a run was too short to be seen while it ran, because deadlines are predicted from them.
    """
    kept = service_levels.baselines(view.ledger)
    newest = {s.pipeline: s.run_id for s in view.ledger.latest("run.failure").values() if s.state == OK}
    return {
        sla.pipeline
        for sla in view.catalog.slas.slas.values()
        if sla.pipeline in newest and kept.get(sla.pipeline, Baseline()).newest != newest[sla.pipeline]
    }


def learn(view: View, jobs: list[str]) -> dict[str, Baseline]:
    """The baselines of these jobs. A baseline is read again if the job has succeeded since."""
    kept = service_levels.baselines(view.ledger)
    changed = False
    for job in jobs:
        newest = bridge.newest_success(view.instance, job)
        if newest and kept.get(job, Baseline()).newest != newest:
            past = bridge.past_successes(view.instance, job)
            steps: dict[str, list[float]] = {}
            assets: dict[str, str] = {}
            for run in reversed(past):
                assets |= run.assets
                for step, seconds in run.steps.items():
                    steps.setdefault(step, []).append(seconds)
            kept[job] = Baseline(newest, tuple(run.seconds for run in past), steps, assets)
            changed = True
    if changed:
        body = {job: baseline.dump() for job, baseline in kept.items()}
        view.ledger.put_document(BASELINES, body, digest(repr(body)), view.now)
    return kept


def _of_run(view: View, run: bridge.ActiveRun, baseline: Baseline) -> list[Signal]:
    age = (view.now - run.since).total_seconds()
    if run.waiting:
        return [_reading(view, "run.queued_seconds", age, job=run.job, check="", domain=run.domain, run_id=run.run_id)]
    whole = pace(age, baseline.usual())
    found = [_reading(view, "run.duration_seconds", age, job=run.job, check="", domain=run.domain, run_id=run.run_id)]
    if whole.ratio is not None:
        found.append(
            _reading(
                view,
                "run.duration_ratio",
                round(whole.ratio, 3),
                job=run.job,
                check="",
                domain=run.domain,
                run_id=run.run_id,
                labels={"long_enough": "true" if whole.notable else "false"},
            )
        )
    for step, since in sorted(run.steps.items()):
        took = (view.now - since).total_seconds()
        found.append(
            _reading(view, "step.duration_seconds", took, job=run.job, check=step, domain=run.domain, run_id=run.run_id)
        )
        usual = pace(took, baseline.usual_step(step))
        if usual.ratio is not None:
            found.append(
                _reading(
                    view,
                    "step.duration_ratio",
                    round(usual.ratio, 3),
                    job=run.job,
                    check=step,
                    domain=run.domain,
                    run_id=run.run_id,
                    labels={"long_enough": "true" if usual.notable else "false"},
                )
            )
    found.append(_stuck(view, run))
    return found


def _stuck(view: View, run: bridge.ActiveRun) -> Signal:
    process = Process.parse(run.process)
    words = ""
    if process is not None and process.visible() and not process.alive():
        words = f"its process {process.pid} is gone"
    elif run.steps and view.now - run.last_event_at > NO_PROGRESS:
        words = f"no event since {run.last_event_at:%Y-%m-%d %H:%M} UTC"
    elif not run.steps and view.now - run.last_event_at > NOT_STARTING:
        words = f"no step runs, and nothing has happened since {run.last_event_at:%Y-%m-%d %H:%M} UTC"
    return view.state(
        "run.stuck",
        bool(words),
        pipeline=run.job,
        domain=run.domain,
        run_id=run.run_id,
        message=words,
        failure_class="process_killed" if "gone" in words else "timeout",
    )


def _reading(
    view: View,
    kind: str,
    value: float,
    *,
    job: str,
    check: str,
    domain: str = "",
    run_id: str = "",
    labels: dict[str, str] | None = None,
) -> Signal:
    return view.reading(
        kind,
        value,
        occurrence=f"{run_id}:{view.now.isoformat()}",
        pipeline=job,
        check=check,
        domain=domain,
        run_id=run_id,
        labels=labels or {},
    )
