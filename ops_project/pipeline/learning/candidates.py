"""Trains a candidate for each model, and compares the candidate with the model in use. The module writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from ops_project.counted import counted
from ops_project.model.learning import Learning
from ops_project.pipeline.learning import artifact, churn, frames, recommendations, segmentation
from ops_project.pipeline.learning.judge import gate as gates
from ops_project.pipeline.learning.judge import health
from ops_project.pipeline.learning.judge.gate import GateReason, Promotion
from ops_project.pipeline.learning.judge.metrics import Floats, auc, calibration_error, log_losses
from ops_project.pipeline.learning.registry import Loaded, Registry

# A function with which a test or a drill spoils the training data: (features, outcome) → spoiled (features, outcome).
Spoil = Callable[[Floats, Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Training:
    """The data and the names for one training.

    `today`: the local date; data of later dates does not count.
    """

    connection: duckdb.DuckDBPyConnection
    parameters: Learning
    registry: Registry
    now: datetime
    today: date
    run_id: str
    commit: str
    spoil: Spoil | None = None


@dataclass(frozen=True)
class Candidate:
    """A trained model: its content as JSON, its metrics, facts about its training, and the decision about its
    promotion.
    """

    content: dict[str, Any]
    metrics: dict[str, float]
    facts: dict[str, Any]
    decision: Promotion


def churn_candidate(job: Training, known: frames.History, serving: Loaded | None) -> Candidate | str:
    """A churn model, compared with the model in use (`serving`). If there is too little data, the result is a text with
    the reason.
    """
    parameters, seed = job.parameters.churn, job.parameters.gate.seed
    found = frames.split(known, parameters)
    if found is None:
        return f"{counted(known.days, 'day')} of history, but {parameters.min_history_days} are needed"
    window = {"lookback_days": parameters.lookback_days, "active_days": parameters.active_days}
    learn = frames.features(job.connection, found.training, **window)
    judge = frames.features(job.connection, [found.held_out], **window)
    if found.by_customer:
        learn = frames.part(learn, ~frames.held_out_half(learn.customers))
        judge = frames.part(judge, frames.held_out_half(judge.customers))
    if min(len(learn), len(judge)) < parameters.min_customers:
        return f"{min(len(learn), len(judge))} customers, but {parameters.min_customers} are needed"
    outcome = frames.churned(job.connection, learn, parameters.horizon_days)
    judged = frames.churned(job.connection, judge, parameters.horizon_days)
    matrix, judge_matrix = learn.matrix, judge.matrix
    if job.spoil is not None:
        matrix, outcome = job.spoil(matrix, outcome)
        judge_matrix, _ = job.spoil(judge_matrix, judged)
        judge_matrix = judge_matrix if len(judge_matrix) == len(judged) else judge.matrix
    # Spoiled data may have more or fewer rows than there are customers.
    customers = learn.customers if len(outcome) == len(learn) else [str(row) for row in range(len(outcome))]
    with_each_outcome = [
        len({who for who, one in zip(customers, outcome, strict=True) if one == end}) for end in (0, 1)
    ]
    if min(with_each_outcome) < churn.FOLDS:
        return "nearly everybody had the same outcome"
    folds = churn.folds_of(outcome, customers, seed)
    full = churn.fit(matrix, outcome, folds, frames.FEATURES)
    plain = churn.fit(matrix, outcome, folds, churn.PLAIN)
    losses = {
        kind: log_losses(judged, model.probability(judge_matrix)) for kind, model in (("full", full), ("plain", plain))
    }
    against_plain = gates.decide(losses["plain"], losses["full"], job.parameters.gate, serving=None)
    # If the full model is not better than the plain rule, the plain rule is the candidate.
    kind = "full" if against_plain.promote else "plain"
    chosen = full if kind == "full" else plain
    aucs = {name: auc(judged, judge_matrix[:, index]) for index, name in enumerate(frames.FEATURES)}
    probability = chosen.probability(judge_matrix)
    metrics = {
        "log_loss": float(losses[kind].mean()),
        "plain_log_loss": float(losses["plain"].mean()),
        "auc": auc(judged, probability),
        "plain_auc": auc(judged, plain.probability(judge_matrix)),
        "calibration_error": calibration_error(judged, probability),
        "churn_rate": float(judged.mean()),
    }
    facts = {
        "kind": kind,
        "training_cutoffs": [str(day) for day in found.training],
        "held_out_cutoff": str(found.held_out),
        "held_out_by": "customer" if found.by_customer else "time",
        "rows": len(outcome),
        "held_out_rows": len(judged),
        "data_fingerprint": f"{learn.fingerprint}/{judge.fingerprint}",
        "data_date": str(known.newest),
    }
    earlier = frames.features(job.connection, [found.held_out - timedelta(days=parameters.horizon_days)], **window)
    content = {**chosen.to_json(), "reference": churn.reference(chosen, judge_matrix, earlier.matrix)}
    decision = gates.unfit(
        job.parameters.guards,
        aucs={**aucs, "model": auc(judged, full.probability(judge_matrix))},
        rows=len(outcome),
        serving_rows=serving.model["facts"]["rows"] if serving else None,
    )
    if decision is None and serving is not None:
        known_inputs = churn.reference_of(serving.model)
        decision = gates.broken(
            health.input_association(known_inputs, judge_matrix, frames.FEATURES, job.parameters.health)
        )
    if decision is None and serving is None:
        decision = (
            against_plain
            if against_plain.promote
            else Promotion(
                True, GateReason.FIRST, f"the plain rule of recency serves: the model is {against_plain.message}"
            )
        )
    elif decision is None and serving is not None:
        incumbent = churn.ChurnModel.from_json(serving.model)
        decision = _unchanged(serving, content) or gates.decide(
            log_losses(judged, incumbent.probability(judge_matrix)),
            losses[kind],
            job.parameters.gate,
            serving=serving.version,
        )
    assert decision is not None
    return Candidate(content, metrics, facts, decision)


def segmentation_candidate(job: Training, known: frames.History, serving: Loaded | None) -> Candidate | str:
    """A segmentation, compared with the model in use (`serving`). If there is too little data, the result is a text
    with the reason.
    """
    parameters, seed = job.parameters.segmentation, job.parameters.gate.seed
    if known.days < parameters.min_history_days:
        return f"{counted(known.days, 'day')} of history, but {parameters.min_history_days} are needed"
    frame = frames.features(
        job.connection,
        [known.next_cutoff],
        lookback_days=parameters.lookback_days,
        active_days=parameters.lookback_days,
    )
    if len(frame) < parameters.min_customers:
        return f"{len(frame)} customers, but {parameters.min_customers} are needed"
    values = segmentation.rfm(frame)
    away = frames.held_out_half(frame.customers)
    learn, judged = values[~away], values[away]
    if job.spoil is not None:
        learn, _ = job.spoil(learn, np.zeros(len(learn)))
    chosen, silhouettes = segmentation.fit(learn, parameters, seed)
    loss = 1 - chosen.separation(judged)
    incumbent = segmentation.SegmentModel.from_json(serving.model) if serving else segmentation.plain(learn)
    facts = {
        "rows": len(learn),
        "held_out_rows": len(judged),
        "clusters": len(chosen.labels),
        "data_fingerprint": frame.fingerprint,
        "data_date": str(known.newest),
    }
    earlier = frames.features(
        job.connection,
        [known.next_cutoff - timedelta(days=7)],
        lookback_days=parameters.lookback_days,
        active_days=parameters.lookback_days,
    )
    content = {
        **chosen.to_json(),
        "reference": segmentation.reference(chosen, values, segmentation.rfm(earlier)),
    }
    decision = gates.unfit(
        job.parameters.guards,
        aucs={},
        rows=len(learn),
        serving_rows=serving.model["facts"]["rows"] if serving else None,
    )
    if decision is None and serving is not None:
        known_inputs = churn.reference_of(serving.model)
        decision = gates.broken(health.input_association(known_inputs, learn, segmentation.AXES, job.parameters.health))
    decision = (
        decision
        or (_unchanged(serving, content) if serving else None)
        or gates.decide(
            1 - incumbent.separation(judged), loss, job.parameters.gate, serving=serving.version if serving else None
        )
    )
    if serving is None and decision.reason is GateReason.NOT_BETTER:
        # The plain thirds by revenue may separate customers better. But thirds have no names, and users want named
        # segments.
        decision = Promotion(True, GateReason.FIRST, f"the first segmentation; {decision.message}")
    metrics = {"separation": float(1 - loss.mean()), "silhouette": silhouettes[len(chosen.labels)]}
    metrics |= {f"silhouette_{clusters}": value for clusters, value in silhouettes.items()}
    return Candidate(content, metrics, facts, decision)


def recommendations_candidate(job: Training, known: frames.History, serving: Loaded | None) -> Candidate | str:
    """A rule for recommendations, compared with the model in use (`serving`). If there is too little data, the result
    is a text with the reason.
    """
    parameters = job.parameters.recommendations
    if known.days < parameters.min_history_days:
        return f"{counted(known.days, 'day')} of history, but {parameters.min_history_days} are needed"
    end = known.next_cutoff
    result = recommendations.evaluate(job.connection, parameters, end)
    if len(result.hits) < parameters.min_orders // 10:
        return f"{len(result.hits)} held-out baskets with two products, but {parameters.min_orders // 10} are needed"
    rule = {**parameters.model_dump(mode="json"), "libraries": artifact.libraries("duckdb")}
    decision = gates.decide(1 - result.popular_hits, 1 - result.hits, job.parameters.gate, serving=None)
    if decision.promote and serving is not None and serving.model["rule"] == artifact.rounded(rule):
        decision = Promotion(
            False, GateReason.UNCHANGED, "the same rule on newer baskets", decision.gain, decision.bound
        )
    elif decision.promote and serving is not None:
        other = parameters.model_copy(
            update={
                name: value for name, value in serving.model["rule"].items() if name in type(parameters).model_fields
            }
        )
        incumbent = recommendations.evaluate(job.connection, other, end)
        decision = gates.decide(1 - incumbent.hits, 1 - result.hits, job.parameters.gate, serving=serving.version)
    metrics = {f"hit_rate_at_{result.k}": result.hit_rate, f"popular_hit_rate_at_{result.k}": result.popular_hit_rate}
    facts = {
        "rows": len(result.hits),
        "held_out_from": str(end - timedelta(days=parameters.holdout_days)),
        "data_date": str(known.newest),
    }
    return Candidate({"rule": rule, "libraries": rule["libraries"]}, metrics, facts, decision)


def _unchanged(serving: Loaded, content: dict[str, Any]) -> Promotion | None:
    same = all(serving.model.get(name) == value for name, value in artifact.rounded(content).items())
    return Promotion(False, GateReason.UNCHANGED, "the same inputs gave the same model") if same else None
