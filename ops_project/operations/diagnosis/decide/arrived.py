"""Finds values that a check refuses far downstream and that came with the landed rows, because no table on the way
made them. A check of references or of values sits at the first table where it is possible. If the column repeats one
landed column, and nothing on the way has failed or changed its SQL, the rows were already wrong when they arrived.
Landing sees one file at a time, so it had nothing to report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ops_project.column_lineage import Column, ColumnLineage
from ops_project.model.failure_class import FailureClass
from ops_project.operations.diagnosis.decide.suspects import Change, Known, Question, Trouble
from ops_project.operations.diagnosis.decide.weights import ARRIVED, explains, is_recent

PASSED_ON: frozenset[FailureClass] = frozenset({"reference_violation", "data_invalid"})
"""Classes that are about single values of a column. Repeated keys are not among them, because joins also repeat
keys, and an anomaly is about many rows.
"""


def arrived(fresh: Sequence[Trouble], question: Question, known: Known) -> list[Trouble]:
    """For each trouble that nothing upstream explains, the same trouble at the landed table of the values."""
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
            continue  # The walk ends in the middle of the way, so it is not known where the values come from.
        said = f"{trouble.asset}.{trouble.column} repeats {landed}, and nothing on the way has failed or changed"
        found.append(replace(trouble, asset=landed.asset, column=landed.name, kind=ARRIVED, check="", message=said))
    return found


def _is_of_code(change: Change, question: Question) -> bool:
    return change.kind in ("code", "schema") and is_recent(change, question)


def _way(columns: ColumnLineage, start: Column) -> Iterator[Column]:
    """The way upstream from a column, as long as it comes from one column alone. The start comes first."""
    here = start
    while True:
        yield here
        origin = columns.origin(here)
        if origin.state != "proven" or len(origin.values) != 1:
            return
        here = origin.values[0]
