"""Stores the asset graph in the ledger, so that a cycle that has not loaded Dagster's definitions knows it.

A cycle runs every few seconds, usually with the same graph. So the graph is encoded or decoded once and then kept in
memory. Encoding 150 assets takes 3 ms, and decoding them 2 ms.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ops_project.lineage import Lineage
from ops_project.model.alerting.signal import digest
from ops_project.operations.alerting.decide.subjects import FRESHNESS, of_check, of_job, of_sensor
from ops_project.operations.ledger import Ledger

DOCUMENT = "lineage"
REMOVED = "removed_subjects"
_written: list[tuple[Lineage, str]] = []
_read: list[tuple[str, Lineage]] = []
_gone: list[tuple[str, frozenset[str]]] = []


def remember(ledger: Ledger, lineage: Lineage, now: datetime) -> None:
    """Store the graph, unless the ledger already has the same one."""
    written = next(iter(_written), None)
    if written is None or written[0] is not lineage:
        written = (lineage, digest(repr(lineage.dump())))
        _written[:] = [written]
    if ledger.document_digest(DOCUMENT) != written[1]:
        _keep_removed(ledger, Lineage.parse(ledger.document(DOCUMENT) or ()), lineage, now)
        ledger.put_document(DOCUMENT, lineage.dump(), written[1], now)


def _keep_removed(ledger: Ledger, before: Lineage, after: Lineage, now: datetime) -> None:
    """Store which subjects are no longer in the graph. If the new graph has no assets, it is not known, so nothing
    counts as removed. The same holds for jobs and for sensors.
    """
    if not after.assets:
        return
    kept = removed(ledger)
    known = replace(before, jobs=before.jobs if after.jobs else (), sensors=before.sensors if after.sensors else ())
    gone = sorted((kept | subjects(known)) - subjects(after))
    if set(gone) != kept:
        ledger.put_document(REMOVED, gone, digest(*gone), now)


def subjects(lineage: Lineage) -> frozenset[str]:
    """The names of all assets, checks, jobs and sensors in the graph, and the names for the freshness of its assets."""
    facts = lineage.assets.values()
    checks = {of_check(fact.key, check) for fact in facts for check in fact.checks}
    judged = {of_check(fact.key, FRESHNESS) for fact in facts if fact.freshness}
    return frozenset({*lineage.assets, *checks, *judged, *map(of_job, lineage.jobs), *map(of_sensor, lineage.sensors)})


def removed(ledger: Ledger) -> frozenset[str]:
    """The subjects that were once in the graph and are no longer in it."""
    name = ledger.document_digest(REMOVED)
    if name is None:
        return frozenset()
    kept = next(iter(_gone), None)
    if kept is None or kept[0] != name:
        kept = (name, frozenset(ledger.document(REMOVED) or ()))
        _gone[:] = [kept]
    return kept[1]


def recall(ledger: Ledger) -> Lineage:
    """The stored graph; an empty one if none was stored."""
    name = ledger.document_digest(DOCUMENT)
    if name is None:
        return Lineage()
    kept = next(iter(_read), None)
    if kept is None or kept[0] != name:
        kept = (name, Lineage.parse(ledger.document(DOCUMENT) or ()))
        _read[:] = [kept]
    return kept[1]
