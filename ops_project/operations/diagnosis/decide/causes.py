"""Decides which table upstream is the most likely cause. The candidates are ranked by their failures and changes, by
time and by distance.

A trouble counts little if it began before the target was last good, or if the inputs of its table explain it. Inputs
cannot explain every trouble, for example a difference between a table and its input. If the lineage of a column is
unknown, every table upstream stays a suspect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ops_project.column_lineage import Column, walk
from ops_project.lineage import Lineage
from ops_project.operations.diagnosis.decide.arrived import arrived
from ops_project.operations.diagnosis.decide.suspects import (
    Candidate,
    Change,
    Diagnosis,
    Known,
    Question,
    Statement,
    Trouble,
)
from ops_project.operations.diagnosis.decide.weights import CHANGE_WEIGHTS, is_older, is_recent, reach_of, weigh

DISTANCE = 0.02
"""Each hop lowers a candidate's score by this much. So if two candidates are equal otherwise, the nearer one comes
first.
"""


def diagnose(question: Question, known: Known) -> Diagnosis:
    """Rank all suspects: the tables upstream of the asset in question, and the asset itself."""
    distance = distances(known.lineage, question.asset)
    reach = reach_of(question, known)
    upstream = [trouble for trouble in known.troubles if trouble.asset in distance]
    fresh = [trouble for trouble in upstream if not is_older(trouble, question)]
    came = [trouble for trouble in arrived(fresh, question, known) if trouble.asset in distance]
    suspected, fresh = [*upstream, *came], [*fresh, *came]
    candidates = []
    for asset in distance:
        mine = [trouble for trouble in suspected if trouble.asset == asset]
        changes = [c for c in known.changes if c.asset == asset and is_recent(c, question)]
        if mine or changes:
            candidates.append(
                _candidate(
                    asset,
                    troubles=mine,
                    changes=changes,
                    fresh=fresh,
                    question=question,
                    known=known,
                    distance=distance,
                    reach=reach,
                )
            )
    candidates.sort(key=lambda item: (-item.score, item.distance, item.asset))
    culprit = candidates[0] if candidates else None
    others = tuple(candidates[1:6])
    return Diagnosis(
        question=question,
        chain=_chain(known.lineage, culprit.asset, question.asset) if culprit else (question.asset,),
        culprit=culprit,
        runners_up=others,
        telling_apart=tuple(_telling_apart(culprit, other, known.lineage) for other in others[:2]) if culprit else (),
        unknown=(*_unknown(question, known), *known.unread),
        nearest_failing=nearest_failing(question.asset, upstream, distance),
    )


def distances(lineage: Lineage, asset: str) -> dict[str, int]:
    """The asset and every asset upstream of it → the smallest number of hops to it."""
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
    """The answer of a simple rule, for comparison: the nearest table upstream with a failure, otherwise the table
    itself. Empty if nothing fails.
    """
    failing = sorted({(distance[t.asset], t.asset) for t in troubles if t.asset != asset})
    return failing[0][1] if failing else asset if any(t.asset == asset for t in troubles) else ""


def _candidate(
    asset: str,
    *,
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
        weight, said = weigh(trouble, fresh, question, known)
        weight *= reach(asset, trouble.column)
        statements.append(Statement(said, trouble.evidence))
        if weight > best:
            best, best_trouble = weight, trouble
    # Several troubles at one table make the table slightly more suspect than the worst of them alone.
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


def _chain(lineage: Lineage, start: str, end: str) -> tuple[str, ...]:
    """The shortest path from the culprit downstream to the table that was asked about."""
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
        f"{culprit.asset} and {other.asset} are on different paths: `ops lineage` of the wrong column shows which "
        "of them it comes from."
    )


def _unknown(question: Question, known: Known) -> tuple[str, ...]:
    found = []
    if not known.lineage.assets:
        found.append("the asset graph is not known, because no run has stored it in the ledger yet")
    elif question.asset not in known.lineage.assets:
        found.append(f"{question.asset} is not in the asset graph")
    if question.good_at is None:
        found.append(f"when {question.asset} was last good is not known, so older troubles count in full")
    if question.column:
        column = Column(question.asset, question.column)
        graph = walk(known.columns, column, "up", rows=True)
        found += [f"where {there} comes from: {why}" for there, why in list(graph.unknown.items())[:5]]
    return tuple(found)
