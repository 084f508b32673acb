"""Finds values that were already wrong when they arrived, although the check that refuses them belongs to a table far
downstream.

A check of references or values stands at the first table at which it is possible. If the checked column repeats one
landed column, and no table in between has failed or changed its SQL, the landed rows already had the wrong values.
Landing could not report this, because it sees only one file at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ops_project.column_lineage import Column, ColumnLineage
from ops_project.model.failure_class import FailureClass
from ops_project.operations.diagnosis.decide.suspects import Change, Known, Question, Trouble
from ops_project.operations.diagnosis.decide.weights import ARRIVED, explains, is_recent

PASSED_ON: frozenset[FailureClass] = frozenset({"reference_violation", "data_invalid"})
"""The failure classes that are about single values of a column. Repeated keys are not among them, because a join can
repeat keys too. Anomalies are not among them, because an anomaly is about many rows.
"""


def arrived(fresh: Sequence[Trouble], question: Question, known: Known) -> list[Trouble]:
    """For each trouble whose values were already wrong when they arrived: the same trouble, moved to the landed
    table.
    """
    changed = {item.asset for item in known.changes if _is_of_code(item, question)}
    found = []
    for trouble in fresh:
        if trouble.failure_class not in PASSED_ON or not trouble.column:
            continue
        above = known.lineage.ancestors(trouble.asset)
        if any(other.asset in above and explains(other, trouble) for other in fresh):
            continue
        way = list(_way(known.columns, Column(trouble.asset, trouble.column)))
        landed = next((column for column in reversed(way) if column.asset in known.lineage.assets), None)
        if landed is None or landed.asset == trouble.asset or changed & {column.asset for column in way}:
            continue
        if known.lineage.get(landed.asset).upstream:
            # The walk ends at a table that is built from others. So it is not known where the values come from.
            continue
        said = f"{trouble.asset}.{trouble.column} repeats {landed}, and nothing on the way has failed or changed"
        found.append(replace(trouble, asset=landed.asset, column=landed.name, kind=ARRIVED, check="", message=said))
    return found


def _is_of_code(change: Change, question: Question) -> bool:
    return change.kind in ("code", "schema") and is_recent(change, question)


def _way(columns: ColumnLineage, start: Column) -> Iterator[Column]:
    """The columns from `start` upstream, as long as each comes from exactly one column. `start` comes first."""
    here = start
    while True:
        yield here
        origin = columns.origin(here)
        if origin.state != "proven" or len(origin.values) != 1:
            return
        here = origin.values[0]
