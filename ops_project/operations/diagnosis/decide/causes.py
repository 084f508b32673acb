"""Which upstream table is the cause: candidates ranked by what is wrong or changed there, by time and by distance.

A trouble that began before the target was last good explains nothing. A trouble that its own inputs explain is a
symptom, not a cause; some troubles, such as a break between a table and its input, no input can explain. A column that
is unknown in the lineage clears no suspect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_project.column_lineage import ROWS, Column, ColumnLineage, walk
from ops_project.lineage import Lineage

# What one look finds at the same time began at the same time.
SAME_TIME = timedelta(minutes=1)
# No input of a table explains these: they lie between the table and its inputs, or in what builds it.
LOCAL = frozenset(
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
# Only an input that changed its shape, or did not come, explains that a table cannot be built.
BUILD = frozenset({"code_error", "mart_build_failure", "interface_load_failure"})
SHAPE = frozenset(
    {"schema_mismatch", "source_missing", "source_empty", "source_partial", "code_error", "interface_load_failure"}
)
# These say that something is late or odd elsewhere.
SYMPTOMS = frozenset({"freshness_breach", "sla_breach", "duration_regression", "delivery_failure", ""})
WEIGHTS: Mapping[str, float] = {
    "reconciliation_break": 1.0,
    "value_anomaly": 0.75,
    "volume_anomaly": 0.85,
    "source_late": 0.8,
    "source_duplicate": 0.4,
    "unknown": 0.6,
}
USUAL_WEIGHT, SYMPTOM_WEIGHT = 0.9, 0.15
KIND_WEIGHTS: Mapping[str, float] = {"landing.finding": 1.05, "asset.failure": 1.0, "check.warning": 0.5}
OLDER, LATER, EXPLAINED = 0.1, 0.3, 0.35
"""Factors: began before the target was last good; began after the target's trouble; its inputs explain it."""
ON_ROWS, OFF_PATH = 0.9, 0.05
CHANGE_WEIGHTS: Mapping[str, float] = {"code": 0.55, "schema": 0.6, "volume": 0.5, "batch": 0.3, "run": 0.1}
DISTANCE = 0.02
"""What each hop takes away, so that of two alike the nearer is named first."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong at an asset now."""

    asset: str
    kind: str
    """The metric that says so: landing.finding, check.failure …"""
    failure_class: str
    began_at: datetime
    message: str = ""
    check: str = ""
    column: str = ""
    run_id: str = ""
    batch_id: str = ""
    evidence: str = ""
    """Where it is recorded: a signal's number, a finding."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is other than at the last good run, right or wrong."""

    asset: str
    kind: str
    """code, schema, volume, batch or run."""
    at: datetime
    what: str
    run_id: str = ""
    commit: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that speaks for or against a candidate, with what it rests on. There is none without evidence."""

    text: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One suspect. The score orders; it is no probability."""

    asset: str
    score: float
    distance: int
    failure_class: str
    statements: tuple[Statement, ...]
    run_id: str = ""
    commit: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What is asked: the table (and column) that is wrong, since when, and when it was last good."""

    asset: str
    column: str = ""
    wrong_at: datetime | None = None
    good_at: datetime | None = None


@dataclass(frozen=True)
class Diagnosis:
    """The answer. Without a culprit: nothing upstream is known to be wrong or changed, and `unknown` says what is not
    known."""

    question: Question
    chain: tuple[str, ...]
    """Assets from the culprit to the table that was asked about."""
    culprit: Candidate | None
    runners_up: tuple[Candidate, ...]
    telling_apart: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    nearest_failing: str = ""
    """What the simple rule `nearest failing table upstream` would have said."""


@dataclass(frozen=True)
class Known:
    """What is known of the asset graph, of troubles and of changes."""

    lineage: Lineage
    columns: ColumnLineage = field(default_factory=ColumnLineage)
    troubles: Sequence[Trouble] = ()
    changes: Sequence[Change] = ()
    commits: Mapping[str, str] = field(default_factory=dict)
    """Run → the commit that it ran."""
    unread: Sequence[str] = ()
    """Sources of evidence that could not be read, with why."""


def diagnose(question: Question, known: Known) -> Diagnosis:
    """Rank every suspect upstream of what is asked about, itself included."""
    distance = distances(known.lineage, question.asset)
    reach = _reach(question, known)
    upstream = [trouble for trouble in known.troubles if trouble.asset in distance]
    fresh = [trouble for trouble in upstream if not _older(trouble, question)]
    candidates = []
    for asset in distance:
        mine = [trouble for trouble in upstream if trouble.asset == asset]
        changes = [c for c in known.changes if c.asset == asset and _recent(c, question)]
        if mine or changes:
            candidates.append(_candidate(asset, mine, changes, fresh, question, known, distance, reach))
    candidates.sort(key=lambda item: (-item.score, item.distance, item.asset))
    culprit = candidates[0] if candidates else None
    others = tuple(candidates[1:6])
    return Diagnosis(
        question,
        _chain(known.lineage, culprit.asset, question.asset) if culprit else (question.asset,),
        culprit,
        others,
        tuple(_telling_apart(culprit, other, known.lineage) for other in others[:2]) if culprit else (),
        (*_unknown(question, known), *known.unread),
        nearest_failing(question.asset, upstream, distance),
    )


def distances(lineage: Lineage, asset: str) -> dict[str, int]:
    """The asset and everything upstream → the fewest hops."""
    found = {asset: 0}
    waiting = [asset]
    while waiting:
        here = waiting.pop(0)
        for parent in lineage.get(here).upstream:
            if parent not in found:
                found[parent] = found[here] + 1
                waiting.append(parent)
    return found


def nearest_failing(asset: str, troubles: Sequence[Trouble], distance: Mapping[str, int]) -> str:
    """The simple rule: the nearest table upstream where anything fails; the table itself where nothing else does."""
    failing = sorted({(distance[t.asset], t.asset) for t in troubles if t.asset != asset})
    return failing[0][1] if failing else asset if any(t.asset == asset for t in troubles) else ""


def _older(trouble: Trouble, question: Question) -> bool:
    """It was there while the target was good."""
    return question.good_at is not None and trouble.began_at + SAME_TIME < question.good_at


def _recent(change: Change, question: Question) -> bool:
    after = question.good_at is None or change.at > question.good_at
    return after and (question.wrong_at is None or change.at <= question.wrong_at + SAME_TIME)


def _candidate(
    asset: str,
    troubles: Sequence[Trouble],
    changes: Sequence[Change],
    fresh: Sequence[Trouble],
    question: Question,
    known: Known,
    distance: Mapping[str, int],
    reach: Callable[[str, str], float],
) -> Candidate:
    statements: list[Statement] = []
    best, best_trouble = 0.0, None
    for trouble in troubles:
        weight, said = _weigh(trouble, fresh, question, known.lineage)
        weight *= reach(asset, trouble.column)
        statements.append(Statement(said, trouble.evidence))
        if weight > best:
            best, best_trouble = weight, trouble
    # Several troubles of one table speak for it together, a little.
    best += 0.03 * min(3, len({t.failure_class for t in troubles}) - 1) if troubles else 0.0
    for change in changes:
        weight = CHANGE_WEIGHTS.get(change.kind, 0.1) * reach(asset, "")
        statements.append(Statement(f"{change.kind} changed: {change.what}", change.evidence))
        best = best + 0.25 * weight if best > weight else weight
    code = next((change for change in changes if change.kind == "code"), None)
    run = (best_trouble.run_id if best_trouble else "") or next((c.run_id for c in changes if c.run_id), "")
    commit = code.commit if code else known.commits.get(run) or next((c.commit for c in changes if c.commit), "")
    return Candidate(
        asset=asset,
        score=round(best - DISTANCE * distance[asset], 4),
        distance=distance[asset],
        failure_class=best_trouble.failure_class if best_trouble else "",
        statements=tuple(statement for statement in statements if statement.evidence),
        run_id=run,
        commit=commit,
        columns=tuple(sorted({t.column for t in troubles if t.column})),
    )


def _weigh(trouble: Trouble, fresh: Sequence[Trouble], question: Question, lineage: Lineage) -> tuple[float, str]:
    words = " ".join(trouble.message.split())[:200]
    name = f"{trouble.failure_class or trouble.kind}{f' ({trouble.check})' if trouble.check else ''}"
    said = f"{name} since {trouble.began_at:%Y-%m-%d %H:%M} UTC: {words}"
    weight = SYMPTOM_WEIGHT if trouble.failure_class in SYMPTOMS else WEIGHTS.get(trouble.failure_class, USUAL_WEIGHT)
    weight *= KIND_WEIGHTS.get(trouble.kind, 1.0)
    if _older(trouble, question):
        return weight * OLDER, f"{said}; it was there already when {question.asset} was last good"
    if question.wrong_at is not None and trouble.began_at > question.wrong_at + SAME_TIME:
        weight, said = weight * LATER, f"{said}; it began later than the trouble of {question.asset}"
    above = lineage.ancestors(trouble.asset)
    why = next((other for other in fresh if other.asset in above and explains(other, trouble)), None)
    if why is not None:
        return weight * EXPLAINED, f"{said}; {why.failure_class} of {why.asset} explains it"
    return weight, said


def explains(cause: Trouble, effect: Trouble) -> bool:
    """Whether a trouble upstream can be why another is there."""
    if cause.failure_class in SYMPTOMS or cause.began_at > effect.began_at + SAME_TIME:
        return False
    if cause.kind == "check.warning" and effect.kind != "check.warning":
        return False
    if effect.failure_class in LOCAL:
        return False
    if effect.failure_class in BUILD:
        return cause.failure_class in SHAPE
    return True


def _reach(question: Question, known: Known) -> Callable[[str, str], float]:
    """How a trouble of an asset (and column) can reach what is asked about: 1 by value, less by rows, hardly else."""
    if not question.column or Column(question.asset, question.column) not in known.columns.origins:
        return lambda _asset, _column: 1.0
    root = Column(question.asset, question.column)
    values, rows = walk(known.columns, root, "up"), walk(known.columns, root, "up", rows=True)
    # Whatever is upstream of a table with an unknown column may reach it.
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


def _chain(lineage: Lineage, start: str, end: str) -> tuple[str, ...]:
    """The shortest way from the culprit down to the table that was asked about."""
    before: dict[str, str] = {}
    waiting = [end]
    while waiting and start not in before and start != end:
        here = waiting.pop(0)
        for parent in lineage.get(here).upstream:
            if parent not in before:
                before[parent] = here
                waiting.append(parent)
    found = [start]
    while found[-1] != end and found[-1] in before:
        found.append(before[found[-1]])
    return tuple(found)


def _telling_apart(culprit: Candidate, other: Candidate, lineage: Lineage) -> str:
    if other.asset in lineage.descendants(culprit.asset):
        return (
            f"Repair {culprit.asset} and build {other.asset} again: if it still fails, the cause is at {other.asset}."
        )
    if other.asset in lineage.ancestors(culprit.asset):
        source, target = (asset.replace("/", ".") for asset in (other.asset, culprit.asset))
        return (
            f"Compare {culprit.asset} with its input: if they agree, the cause is further up, at {other.asset} "
            f"(`ops reconcile --source {source} --target {target}`)."
        )
    return (
        f"{culprit.asset} and {other.asset} are on different ways: `ops lineage` of the wrong column says from which "
        "of them it comes."
    )


def _unknown(question: Question, known: Known) -> tuple[str, ...]:
    found = []
    if not known.lineage.assets:
        found.append("the asset graph is not known: no run has left one in the ledger")
    elif question.asset not in known.lineage.assets:
        found.append(f"{question.asset} is not in the asset graph")
    if question.good_at is None:
        found.append(f"when {question.asset} was last good is not known, so that older troubles count in full")
    if question.column:
        column = Column(question.asset, question.column)
        graph = walk(known.columns, column, "up", rows=True)
        found += [f"where {there} comes from: {why}" for there, why in list(graph.unknown.items())[:5]]
    return tuple(found)
