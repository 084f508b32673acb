"""Applies the model in use to the newest data, fills the gold table, and stores the health of the model. If a model
cannot be used, a finding is written, and the last good model is used instead. If there is no good model, the table
keeps its last predictions. Every row contains the date of its prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from ops_project.counted import counted
from ops_project.model.learning import Learning
from ops_project.pipeline.learning import artifact, churn, frames, recommendations, segmentation, tables
from ops_project.pipeline.learning.findings import ModelProblem, report
from ops_project.pipeline.learning.judge import health
from ops_project.pipeline.learning.judge.bands import band, reasons
from ops_project.pipeline.learning.judge.gate import CONFIRMING
from ops_project.pipeline.learning.judge.health import Reading
from ops_project.pipeline.learning.judge.metrics import calibration_error
from ops_project.pipeline.learning.registry import Loaded, Registry

# A separate job builds the recommendations each Sunday. If the job missed a Sunday, scoring builds them in the next
# night.
RECOMMENDATIONS_LAST = timedelta(days=7)


@dataclass(frozen=True)
class Scoring:
    """The data and the names for one night's scoring.

    `today`: the local date; data of later dates does not count.
    """

    connection: duckdb.DuckDBPyConnection
    parameters: Learning
    registry: Registry
    now: datetime
    today: date
    run_id: str
    commit: str


@dataclass(frozen=True)
class Scored:
    """The result of scoring with one model. `rows` is None if nothing was written and the table is unchanged."""

    model: str
    rows: int | None
    version: str | None
    message: str
    readings: list[Reading] = field(default_factory=list)


def due(job: Scoring, model: str) -> bool:
    """Whether the table must be filled now. The recommendations are due a week after the table was last filled. Every
    other table is due every night.
    """
    if model != "recommendations":
        return True
    tables.ensure(job.connection)
    row = job.connection.execute(f"select max(predicted_at) from {tables.TABLE_OF[model]}").fetchone()
    return not row or row[0] is None or _moment(job.now) - row[0] >= RECOMMENDATIONS_LAST


def score(job: Scoring, model: str) -> Scored:
    """Fill the table of `model` from the version in use."""
    tables.ensure(job.connection)
    asset = tables.asset_of(model)
    try:
        loaded = job.registry.serving(model)
    except artifact.ModelUnusable as error:
        report(
            job.connection,
            asset,
            scope="serving",
            problems=[_unusable(model, str(error), None)],
            now=job.now,
            run_id=job.run_id,
        )
        return Scored(model, None, None, f"no version of {model} can serve ({error}); the last predictions stay")
    known = frames.history(job.connection, job.today)
    if loaded is None or known is None:
        return Scored(model, None, None, f"{model} has no model yet: too little history")
    problems = [_unusable(model, text, loaded.version) for text in loaded.problems]
    report(job.connection, asset, scope="serving", problems=problems, now=job.now, run_id=job.run_id)
    scorers = {"segmentation": _segments, "churn": _churn, "recommendations": _recommendations}
    rows, fingerprint, readings = scorers[model](job, loaded, known)
    written = tables.replace(job.connection, tables.TABLE_OF[model], rows)
    readings = [*readings, _age(job, model, loaded)]
    _journal(job, model, loaded, known=known, rows=written, fingerprint=fingerprint)
    _readings(job, model, loaded, readings)
    return Scored(model, written, loaded.version, f"{counted(written, 'row')} by version {loaded.version}", readings)


def _unusable(model: str, message: str, used: str | None) -> ModelProblem:
    instead = f"version {used}, the last good one, serves instead" if used else "the last predictions stay"
    return ModelProblem(
        "mart_build_failure",
        f"{message}; {instead}; train again with the job model_retraining",
        {"reason": "unusable", "model": model, "used": used},
    )


def _moment(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


Rows = Sequence[Sequence[Any]]


def _segments(job: Scoring, loaded: Loaded, known: frames.History) -> tuple[Rows, str, list[Reading]]:
    days = job.parameters.segmentation.lookback_days
    frame = frames.features(job.connection, [known.next_cutoff], lookback_days=days, active_days=days)
    model, limits = segmentation.SegmentModel.from_json(loaded.model), job.parameters.health
    values = segmentation.rfm(frame)
    recency, orders = (frame.raw[:, frames.FEATURES.index(name)] for name in ("recency_days", "orders_lookback"))
    rows = [
        (
            who,
            segment,
            int(days_since),
            int(count),
            round(float(revenue), 2),
            known.newest,
            loaded.version,
            _moment(job.now),
        )
        for who, segment, days_since, count, revenue in zip(
            frame.customers, model.assign(values), recency, orders, frame.revenue, strict=True
        )
    ]
    reference = churn.reference_of(loaded.model)
    return (
        rows,
        frame.fingerprint,
        [
            health.input_drift(reference, values, segmentation.AXES, limits),
            health.input_association(reference, values, segmentation.AXES, limits),
            health.coverage(len(rows), len(frame), limits, "customers have a segment"),
        ],
    )


def _churn(job: Scoring, loaded: Loaded, known: frames.History) -> tuple[Rows, str, list[Reading]]:
    parameters, limits = job.parameters.churn, job.parameters.health
    window = {"lookback_days": parameters.lookback_days, "active_days": parameters.active_days}
    matured = known.next_cutoff - timedelta(days=parameters.horizon_days)
    both = frames.features(job.connection, [matured, known.next_cutoff], **window)
    now_rows = np.array([day == known.next_cutoff for day in both.cutoffs], dtype=bool)
    frame = frames.part(both, now_rows)
    model, matrix = churn.ChurnModel.from_json(loaded.model), frame.matrix
    probability = model.probability(matrix)
    signed = [
        name if weight > 0 else f"-{name}" for name, weight in zip(model.features, model.coefficients, strict=True)
    ]
    why = reasons(model.contributions(matrix), signed)
    rows = [
        (
            who,
            float(value),
            band(float(value), parameters.bands),
            because,
            parameters.horizon_days,
            known.newest,
            loaded.version,
            _moment(job.now),
        )
        for who, value, because in zip(frame.customers, probability, why, strict=True)
    ]
    past = frames.part(both, ~now_rows)
    error: float | None = None
    # If this cut-off is near the first day, almost no customers have data for it. The calibration is then unknown.
    if len(past) >= parameters.min_customers:
        error = calibration_error(
            frames.churned(job.connection, past, parameters.horizon_days), model.probability(past.matrix)
        )
    reference, stored = churn.reference_of(loaded.model), loaded.model["reference"]
    due = job.connection.execute(
        "select count(distinct customer_id) from silver.int_customer_days"
        " where sales_orders > 0 and business_date > ? and business_date <= ?",
        [known.newest - timedelta(days=parameters.active_days), known.newest],
    ).fetchone()
    return (
        rows,
        frame.fingerprint,
        [
            health.input_drift(reference, matrix, frames.FEATURES, limits),
            health.input_association(reference, matrix, frames.FEATURES, limits),
            health.score_distribution(
                stored["score_edges"], stored["score_shares"], probability, limits, stored["score_natural"]
            ),
            health.calibration(error, len(past), limits),
            health.coverage(len(rows), int(due[0]) if due else 0, limits, "active customers have a prediction"),
        ],
    )


def _recommendations(job: Scoring, loaded: Loaded, known: frames.History) -> tuple[Rows, str, list[Reading]]:
    current = job.parameters.recommendations
    rule = current.model_copy(
        update={name: value for name, value in loaded.model["rule"].items() if name in type(current).model_fields}
    )
    end = known.next_cutoff
    recommendations.build(job.connection, rule, end - timedelta(days=rule.lookback_days), end)
    rows = job.connection.execute(
        f"""
        select
            scores.product_id, scores.recommended_product_id, scores.place::integer, scores.score, scores.support,
            mine.product_name, theirs.product_name, ?::date, ?, ?::timestamp
        from {recommendations.SCORES} as scores
        inner join {recommendations.PRODUCTS} as mine on mine.product_id = scores.product_id
        inner join {recommendations.PRODUCTS} as theirs on theirs.product_id = scores.recommended_product_id
        order by scores.product_id, scores.place
        """,
        [known.newest, loaded.version, _moment(job.now)],
    ).fetchall()
    numbers = job.connection.execute(
        f"""
        with sold as (select product_id from {recommendations.ITEMS} group by product_id having count(*) >= ?)

        select count(*), count(*) filter (where product_id in (select product_id from {recommendations.SCORES}))
        from sold
        """,
        [rule.shrinkage + rule.min_support],
    ).fetchone()
    due, covered = numbers or (0, 0)
    limits = job.parameters.health
    return rows, "", [health.coverage(covered, due, limits, "products that sell have a recommendation")]


def _age(job: Scoring, model: str, loaded: Loaded) -> Reading:
    """The days since the model was trained or last confirmed. A training that found nothing better confirms the model.
    A training whose candidate could not be judged does not confirm it.
    """
    confirmed = datetime.fromisoformat(loaded.model["trained_as_of"])
    row = job.connection.execute(
        "select max(as_of) from ops.model_trainings where model = ? and list_contains(?, reason) and as_of <= ?",
        [model, [reason.value for reason in CONFIRMING], _moment(job.now)],
    ).fetchone()
    if row and row[0] is not None:
        confirmed = max(confirmed, row[0].replace(tzinfo=UTC))
    return health.age(confirmed, job.now, job.parameters.health)


def _journal(job: Scoring, model: str, loaded: Loaded, *, known: frames.History, rows: int, fingerprint: str) -> None:
    job.connection.execute("delete from ops.model_scorings where model = ? and run_id = ?", [model, job.run_id])
    job.connection.execute(
        "insert into ops.model_scorings values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            model,
            loaded.version,
            _moment(job.now),
            job.run_id,
            rows,
            known.newest,
            fingerprint or None,
            job.commit,
            getattr(job.parameters, model).model_dump_json(),
        ],
    )


def _readings(job: Scoring, model: str, loaded: Loaded, readings: list[Reading]) -> None:
    job.connection.execute("delete from ops.model_health where model = ? and run_id = ?", [model, job.run_id])
    for reading in readings:
        job.connection.execute(
            "insert into ops.model_health values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                model,
                loaded.version,
                _moment(job.now),
                job.run_id,
                reading.metric,
                reading.value,
                reading.limit,
                reading.status,
                reading.detail,
            ],
        )
