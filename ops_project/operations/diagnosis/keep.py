"""Stores evidence and a diagnosis with an incident before the first page about it is sent. The page contains a summary
of both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

from ops_project.operations.diagnosis.decide.causes import diagnose as decide
from ops_project.operations.diagnosis.decide.suspects import Diagnosis
from ops_project.operations.diagnosis.diagnose import NothingToDiagnose, of_gathered, of_incident, troubles
from ops_project.operations.diagnosis.evidence import PATIENCE_SECONDS, EvidenceSource, Gathered, Scene, gather
from ops_project.operations.incidents.decide.incident import Incident

EVIDENCE, SUMMARY = "evidence", "diagnosis"
BY = "diagnosis"
CONCERNED = 12
SHORT = 3


def keep(scene: Scene, numbers: Sequence[int], sources: Sequence[EvidenceSource]) -> list[int]:
    """Gather evidence for each of these incidents that has none yet. All incidents together take no longer than a page
    can wait. Returns the incidents for which something was stored.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    kept = []
    for number in numbers:
        incident = scene.ledger.incident(number)
        left = until - time.monotonic()
        if incident is None or not incident.open or left <= 0 or scene.ledger.evidence(number, EVIDENCE):
            continue
        _keep(scene, incident, sources, left)
        kept.append(number)
    return kept


def _keep(scene: Scene, incident: Incident, sources: Sequence[EvidenceSource], patience: float) -> None:
    ledger = scene.ledger
    first = next((alert for n in incident.alerts if (alert := ledger.alert(n)) is not None), None)
    try:
        question = of_incident(ledger, scene.lineage, incident)
    except NothingToDiagnose:
        question = None
    above = sorted(scene.lineage.ancestors(question.asset)) if question is not None else []
    failing = {trouble.asset for trouble in troubles(ledger)}
    assets = dict.fromkeys([*([question.asset] if question is not None else []), *incident.assets])
    ordered = [*assets, *sorted(above, key=lambda asset: (asset not in failing, asset))]
    asked = replace(
        scene,
        assets=tuple(dict.fromkeys(ordered)),
        run_id=first.run_id if first is not None else "",
        batch_id=first.batch_id if first is not None else "",
        since=question.good_at if question is not None else None,
        wrong_in=question.wrong_in if question is not None else "",
    )
    found = gather(sources, replace(asked, assets=asked.assets[:CONCERNED]), patience) if asked.assets else Gathered()
    diagnosis = None
    if question is not None:
        diagnosis = decide(question, of_gathered(scene, found))
    body = {"items": [asdict(item) for item in found.items], "unread": found.unread}
    ledger.keep_evidence(
        incident.number, EVIDENCE, title="Evidence", body=json.dumps(body, ensure_ascii=False), by=BY, now=scene.now
    )
    ledger.keep_evidence(
        incident.number, SUMMARY, title="In short", body=in_short(diagnosis, found), by=BY, now=scene.now
    )


def in_short(diagnosis: Diagnosis | None, found: Gathered) -> str:
    """A summary for the page: where the problem began, with the evidence, and what could not be read."""
    parts = []
    culprit = diagnosis.culprit if diagnosis is not None else None
    if diagnosis is not None and culprit is not None and culprit.statements:
        said = culprit.statements[0]
        run = f", run {culprit.run_id[:8]}" if culprit.run_id else ""
        began = f"It began at {culprit.asset}{run}: {said.text} [{said.evidence}]"
        if culprit.asset != diagnosis.question.asset:
            began += f"; path: {' → '.join(diagnosis.chain)}"
        parts.append(began)
    parts += [f"{item.title}: {item.text}" for item in found.items if item.title in ("Row counts", "Code")][:SHORT]
    parts += [f"Not read: {words}" for words in found.unread]
    return ". ".join(parts)
