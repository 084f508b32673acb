"""Computes from timelines how long it took to acknowledge and to resolve incidents. It also holds the definitions of
both times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from ops_project.operations.incidents.decide.incident import Event
from ops_project.operations.incidents.decide.reasons import IncidentReason

DEFINITIONS = {
    "time to acknowledge": "From each opening or reopening to the first acknowledgement or take-over after it. An "
    "opening that ended without one is counted as unanswered.",
    "time to resolve": "From each opening or reopening to the end that follows it, by a person or because the data "
    "recovered. An opening that has not ended has none yet.",
}
_OPENINGS = (IncidentReason.OPENED, IncidentReason.REOPENED)
_ANSWERS = (IncidentReason.ACKNOWLEDGED, IncidentReason.TAKEN_OVER)
_ENDS = (IncidentReason.DATA_RECOVERED, IncidentReason.RESOLVED_BY_PERSON)


@dataclass(frozen=True, slots=True)
class Spell:
    """One opening of an incident, and how long after it each event came. None means that the event has not happened."""

    incident: int
    to_acknowledge: timedelta | None
    to_resolve: timedelta | None

    @property
    def unanswered(self) -> bool:
        """Whether this opening ended without an acknowledgement."""
        return self.to_resolve is not None and self.to_acknowledge is None


def spells(timeline: Sequence[Event]) -> list[Spell]:
    """The openings of one incident, in the order in which they happened."""
    found: list[Spell] = []
    for index, event in enumerate(timeline):
        if event.reason not in _OPENINGS:
            continue
        after = timeline[index + 1 :]
        until = next((i for i, e in enumerate(after) if e.reason in _OPENINGS), len(after))
        mine = after[:until]
        answer = next((e.at - event.at for e in mine if e.reason in _ANSWERS), None)
        end = next((e.at - event.at for e in mine if e.reason in _ENDS), None)
        found.append(Spell(event.incident, answer, end))
    return found


@dataclass(frozen=True)
class Times:
    """The means and medians over several incidents, in seconds; None if nothing was measured."""

    openings: int
    unanswered: int
    mean_to_acknowledge: float | None
    median_to_acknowledge: float | None
    mean_to_resolve: float | None
    median_to_resolve: float | None


def times(found: Sequence[Spell]) -> Times:
    answers = [s.to_acknowledge.total_seconds() for s in found if s.to_acknowledge is not None]
    ends = [s.to_resolve.total_seconds() for s in found if s.to_resolve is not None]
    return Times(
        openings=len(found),
        unanswered=sum(s.unanswered for s in found),
        mean_to_acknowledge=sum(answers) / len(answers) if answers else None,
        median_to_acknowledge=median(answers) if answers else None,
        mean_to_resolve=sum(ends) / len(ends) if ends else None,
        median_to_resolve=median(ends) if ends else None,
    )
