"""Checks a model that is in use. Whenever the model scores, readings of it are taken and judged. The checks report
these verdicts, and compute nothing themselves.
"""

from __future__ import annotations

from asset_checks.specs import TableSpec
from asset_checks.verdict import Severity, Situation, Verdict

PREFIX = "model_"
DESCRIPTIONS = {
    "input_drift": "No feature's distribution has left that of training by more than its usual variation.",
    "input_association": "The features are correlated as in training: no column is shuffled or holds another's values.",
    "score_distribution": "The scores are distributed as they were when the model was trained.",
    "calibration": "For predictions whose outcome is known by now, the predicted rate equals the observed one.",
    "coverage": "Every customer or product that should have a prediction has one.",
    "age": "The model was trained, or confirmed, recently.",
}
FAILURE_CLASSES = {
    "input_drift": "value_anomaly",
    "input_association": "data_invalid",
    "score_distribution": "value_anomaly",
    "calibration": "value_anomaly",
    "coverage": "volume_anomaly",
    "age": "freshness_breach",
}
SEVERITIES: dict[str, Severity] = {"input_association": "high", "coverage": "high"}


def check_name(metric: str) -> str:
    return f"{PREFIX}{metric}"


def evaluate(situation: Situation, table: TableSpec, metric: str) -> Verdict:
    rows: list[tuple[object, ...]] = []
    if situation.exists("ops.model_health"):
        rows = situation.rows(
            """
            select value, "limit", status, detail, version, as_of
            from ops.model_health
            where model = ? and metric = ? and as_of <= ?
            order by as_of desc
            limit 1
            """,
            [table.model, metric, situation.now_utc],
        )
    if not rows:
        return Verdict.unknown(f"{table.name}: no model of {table.model} has scored yet.", passed=True)
    value, limit, status, detail, version, as_of = rows[0]
    evidence = {"value": value, "limit": limit, "version": version, "scored_at": str(as_of)}
    if status == "unknown":
        return Verdict.unknown(f"{table.model}: {metric} is unknown ({detail}).", passed=True, **evidence)
    if status == "ok":
        return Verdict.ok(f"{table.model}: {metric} {float(str(value)):.3f} ({detail}).", **evidence)
    return Verdict.fail(
        f"{table.model} version {version}: {metric} is {float(str(value)):.3f}, and the limit is {limit} ({detail}). "
        "Look at the inputs first; then train again, or roll back with `ops model rollback`.",
        SEVERITIES.get(metric, "medium"),
        FAILURE_CLASSES[metric],
        **evidence,
    )
