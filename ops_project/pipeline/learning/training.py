"""Trains a candidate, compares it with the model in use, registers it, and promotes it if it is better. Every candidate
is registered, even if it is refused, so that every attempt stays visible. The only exception is a candidate that equals
the model in use. If there is a problem, a finding is written, and the model in use does not change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC

from ops_project.pipeline.learning import artifact, frames, tables
from ops_project.pipeline.learning.candidates import (
    Candidate,
    Training,
    churn_candidate,
    recommendations_candidate,
    segmentation_candidate,
)
from ops_project.pipeline.learning.findings import ModelProblem, report
from ops_project.pipeline.learning.judge import gate as gates
from ops_project.pipeline.learning.judge.gate import GateReason, Promotion
from ops_project.pipeline.learning.registry import Loaded


@dataclass(frozen=True)
class Trained:
    """How a training ended. `version` is None in two cases: there was too little history for a candidate, or the
    candidate was equal to the model in use.
    """

    model: str
    decision: Promotion | None
    version: str | None
    message: str
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def promoted(self) -> bool:
        return self.decision is not None and self.decision.promote


def train(job: Training, model: str) -> Trained:
    """Train `model` (segmentation, churn or recommendations) as of the job's clock."""
    tables.ensure(job.connection)
    known = frames.history(job.connection, job.today)
    serving = _usable(job, model)
    trainers: Mapping[str, Callable[[Training, frames.History, Loaded | None], Candidate | str]] = {
        "segmentation": segmentation_candidate,
        "churn": churn_candidate,
        "recommendations": recommendations_candidate,
    }
    candidate: Candidate | str = "silver holds no customer days yet"
    if known is not None:
        from threadpoolctl import threadpool_limits

        # With one thread, sums are the same every time. On small matrices several threads would only wait for each
        # other.
        with threadpool_limits(1):
            candidate = trainers[model](job, known, serving)
    if isinstance(candidate, str):
        return Trained(model, None, None, f"no model of {model}: {candidate}")
    decision = candidate.decision
    as_of = job.now.astimezone(UTC).isoformat()
    content = {"model": model, **candidate.content, "facts": candidate.facts, "trained_as_of": as_of}
    version: str | None = None
    if decision.reason is not GateReason.UNCHANGED:
        version = job.registry.register(
            model,
            content,
            metrics=candidate.metrics,
            parameters={**job.parameters.model_dump(mode="json")[model], **candidate.facts},
            tags={
                "as_of": as_of,
                "reason": decision.reason.value,
                "message": decision.message[:480],
                "code_version": job.commit,
                "dagster_run_id": job.run_id,
            },
        )
        if decision.promote:
            job.registry.promote(model, version, decision.message)
    _journal(job, model, version, candidate)
    _tell(job, model, version, decision)
    return Trained(model, decision, version, decision.message, candidate.metrics)


def _usable(job: Training, model: str) -> Loaded | None:
    try:
        return job.registry.serving(model)
    except artifact.ModelUnusable:
        return None


def _journal(job: Training, model: str, version: str | None, candidate: Candidate) -> None:
    decision = candidate.decision
    job.connection.execute("delete from ops.model_trainings where model = ? and run_id = ?", [model, job.run_id])
    job.connection.execute(
        "insert into ops.model_trainings values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            model,
            version,
            job.now.astimezone(UTC).replace(tzinfo=None),
            job.run_id,
            decision.promote,
            decision.reason.value,
            decision.message,
            job.commit,
            json.dumps(candidate.metrics),
            json.dumps(candidate.facts),
        ],
    )


def _tell(job: Training, model: str, version: str | None, decision: Promotion) -> None:
    problems = []
    if decision.reason in gates.FAILURE_CLASS:
        problems.append(
            ModelProblem(
                gates.FAILURE_CLASS[decision.reason],
                f"candidate {version} of {model} was not promoted ({decision.reason.value}): {decision.message}; "
                "the model in use stays in use",
                {"reason": decision.reason.value, "version": version, "gain": decision.gain, "bound": decision.bound},
            )
        )
    report(job.connection, tables.asset_of(model), scope="training", problems=problems, now=job.now, run_id=job.run_id)
