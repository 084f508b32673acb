"""The weight of a trouble or change: how strongly it suggests that its table is the cause. The weight depends on the
failure class, on time, on what explains the trouble, and on whether the trouble reaches the column that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from ops_project.column_lineage import ROWS, Column, walk
from ops_project.model.failure_class import FailureClass
from ops_project.operations.diagnosis.decide.suspects import Change, Known, Question, Trouble

# Troubles that the same look has found count as having begun at the same time.
SAME_TIME = timedelta(minutes=1)
# The inputs of a table never explain a failure of these classes. Its cause lies between the table and its inputs, or in
# the machinery that builds the table.
LOCAL: frozenset[FailureClass] = frozenset(
    {
        "reconciliation_break",
        "resource_exhausted",
        "storage_full",
        "lock_contention",
        "connection_failure",
        "timeout",
        "process_killed",
        "config_error",
    }
)
# The failures of a table that cannot be built. An input explains such a failure only if the input changed its structure
# or did not come (SHAPE).
BUILD: frozenset[FailureClass] = frozenset({"code_error", "mart_build_failure", "interface_load_failure"})
SHAPE: frozenset[FailureClass] = frozenset(
    {"schema_mismatch", "source_missing", "source_empty", "source_partial", "code_error", "interface_load_failure"}
)
# If rows of one table are missing, rows of other tables that belong to them may be missing for the same reason.
AMOUNTS: frozenset[FailureClass] = frozenset({"volume_anomaly", "source_missing", "source_empty", "source_partial"})
# Failures of these classes say only that something else is late or unusual.
SYMPTOMS: frozenset[FailureClass] = frozenset(
    {"freshness_breach", "sla_breach", "duration_regression", "delivery_failure"}
)
WEIGHTS: Mapping[FailureClass, float] = {
    "reconciliation_break": 1.0,
    "value_anomaly": 0.75,
    "volume_anomaly": 0.85,
    "source_late": 0.8,
    "source_duplicate": 0.4,
    "unknown": 0.6,
}
USUAL_WEIGHT, SYMPTOM_WEIGHT = 0.9, 0.15
ARRIVED = "arrived"
"""The kind of a trouble that no check has reported at its table: values that arrived with the landed rows, and are
found wrong further downstream.
"""
KIND_WEIGHTS: Mapping[str, float] = {
    "landing.finding": 1.05,
    "asset.failure": 1.0,
    "check.warning": 0.5,
    ARRIVED: 0.65,
}
HARMLESS = 0.4
"""The factor for a trouble that made nothing downstream wrong."""
OLDER, LATER, EXPLAINED = 0.1, 0.3, 0.35
"""Three factors. OLDER: the trouble began before the target was last good. LATER: it began after the target's trouble.
EXPLAINED: another trouble explains it.
"""
ON_ROWS, OFF_PATH = 0.9, 0.05
CHANGE_WEIGHTS: Mapping[str, float] = {"code": 0.55, "schema": 0.6, "volume": 0.5, "batch": 0.3, "run": 0.1}


def is_older(trouble: Trouble, question: Question) -> bool:
    """Whether the trouble already existed when the target was still good. The runs are compared where they are known:
    runs may follow each other within a minute, so times alone would not tell the good run from the bad one.
    """
    if question.good_at is None:
        return False
    if trouble.began_in and trouble.began_in in (question.good_in, question.wrong_in):
        return trouble.began_in == question.good_in
    slack = timedelta() if trouble.began_in and question.good_in else SAME_TIME
    return trouble.began_at <= question.good_at + slack


def is_recent(change: Change, question: Question) -> bool:
    """Whether the change came after the target was last good, and not after it became wrong."""
    if change.run_id and change.run_id == question.wrong_in:
        # The time of a run is its start. This run may have started early, and then waited for the good run to end.
        return True
    after = question.good_at is None or change.at > question.good_at
    return after and (question.wrong_at is None or change.at <= question.wrong_at + SAME_TIME)


def weigh(trouble: Trouble, fresh: Sequence[Trouble], question: Question, known: Known) -> tuple[float, str]:
    """How strongly a trouble suggests its table as the cause, from 0 to about 1, and the reason in words."""
    words = " ".join(trouble.message.split())[:200]
    name = f"{trouble.failure_class or trouble.kind}{f' ({trouble.check})' if trouble.check else ''}"
    said = f"{name} since {trouble.began_at:%Y-%m-%d %H:%M} UTC: {words}"
    weight = SYMPTOM_WEIGHT if is_symptom(trouble) else _usual(trouble.failure_class)
    weight *= KIND_WEIGHTS.get(trouble.kind, 1.0)
    if trouble.is_harmless:
        weight, said = weight * HARMLESS, f"{said}; every row of the file was loaded, with all columns of its contract"
    if is_older(trouble, question):
        return weight * OLDER, f"{said}; it existed already when {question.asset} was last good"
    if question.wrong_at is not None and trouble.began_at > question.wrong_at + SAME_TIME:
        weight, said = weight * LATER, f"{said}; it began later than the trouble of {question.asset}"
    above = known.lineage.ancestors(trouble.asset)
    why = next((other for other in fresh if other.asset in above and explains(other, trouble)), None)
    if why is not None:
        return weight * EXPLAINED, f"{said}; {why.failure_class} of {why.asset} explains it"
    why = next((other for other in fresh if _stopped(other, trouble)), None)
    if why is not None:
        return weight * EXPLAINED, f"{said}; the check was not made, because {why.asset} stopped the step"
    to = known.refers.get(trouble.asset, frozenset())
    why = next((other for other in fresh if other.asset in to and _carries(other, trouble)), None)
    if why is not None:
        because = f"its rows belong to rows of {why.asset}, where {why.failure_class} began as well"
        return weight * EXPLAINED, f"{said}; {because}"
    return weight, said


def _stopped(cause: Trouble, effect: Trouble) -> bool:
    """Whether a check could not be made because a blocking check of another table ended its step. The message of the
    effect names that table.
    """
    return (
        effect.kind == "check.crash"
        and cause.kind in ("check.failure", "asset.failure")
        and cause.asset != effect.asset
        and re.search(rf"(?<![\w/]){re.escape(cause.asset)}(?![\w/])", effect.message) is not None
    )


def _carries(cause: Trouble, effect: Trouble) -> bool:
    """Whether missing or additional rows at the cause can explain an unusual number of rows at the effect. The caller
    knows that the rows of the effect belong to rows of the cause, as order lines belong to orders.
    """
    return (
        effect.failure_class == "volume_anomaly"
        and cause.failure_class in AMOUNTS
        and cause.kind != "check.warning"
        and abs(cause.began_at - effect.began_at) <= SAME_TIME
    )


def is_symptom(trouble: Trouble) -> bool:
    """Whether the trouble says only that something else is late or unusual."""
    return not trouble.failure_class or trouble.failure_class in SYMPTOMS


def _usual(failure_class: str) -> float:
    return next((weight for name, weight in WEIGHTS.items() if name == failure_class), USUAL_WEIGHT)


def explains(cause: Trouble, effect: Trouble) -> bool:
    """Whether one trouble, which lies upstream of another, can be the reason for it."""
    if cause.is_harmless or is_symptom(cause) or cause.began_at > effect.began_at + SAME_TIME:
        return False
    if cause.kind == ARRIVED:
        return effect.evidence == cause.evidence
    if cause.kind == "check.warning" and effect.kind != "check.warning":
        return False
    if effect.failure_class in LOCAL:
        return False
    if effect.failure_class in BUILD:
        return cause.failure_class in SHAPE
    return True


def reach_of(question: Question, known: Known) -> Callable[[str, str], float]:
    """Returns a function that gives the factor for a trouble at (asset, column). The factor is 1 if values from there
    reach the target, a little less if they only decide which rows reach it, and nearly 0 otherwise.
    """
    if not question.column or Column(question.asset, question.column) not in known.columns.origins:
        return lambda _asset, _column: 1.0
    root = Column(question.asset, question.column)
    values, rows = walk(known.columns, root, "up"), walk(known.columns, root, "up", rows=True)
    # If the origin of a column is unknown, it may come from any table upstream.
    doubtful = {column.asset for column in (*values.unknown, *rows.unknown)}
    widened = {asset for table in doubtful for asset in known.lineage.ancestors(table)} | doubtful
    by_value = {column.asset for column in values.depth}
    by_rows = {column.asset for column in rows.depth}
    told = {column.asset for column in known.columns.origins}

    def reach(asset: str, column: str) -> float:
        if asset not in told or asset in widened:
            return 1.0
        if asset in by_value:
            if not column or column == ROWS or Column(asset, column) in values.depth:
                return 1.0
            return ON_ROWS if Column(asset, column) in rows.depth else OFF_PATH * 4
        return ON_ROWS if asset in by_rows else OFF_PATH

    return reach
