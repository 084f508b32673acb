"""Makes the rosters from the configuration and the changes that people have made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from ops_project.model.oncall.schedule import OnCallFile
from ops_project.model.owner import Owners
from ops_project.operations.oncall.roster import Cover, Interval, Roster, Swap
from ops_project.operations.oncall.wall_clock import midnight


def absences_of(owners: Owners, zone: str) -> dict[str, list[Interval]]:
    """Person → the times at which that person is absent, in UTC. `zone`: the platform's zone, for people who have no
    zone of their own.
    """
    found: dict[str, list[Interval]] = {}
    for slug, person in owners.people.items():
        at = ZoneInfo(person.zone or zone)
        found[slug] = [
            (midnight(absence.first, at), midnight(absence.last + timedelta(days=1), at)) for absence in person.absences
        ]
    return {slug: intervals for slug, intervals in found.items() if intervals}


def rosters(
    file: OnCallFile,
    owners: Owners,
    zone: str,
    swaps: Mapping[str, Sequence[Swap]],
    covers: Mapping[str, Sequence[Cover]],
) -> dict[str, Roster]:
    """Schedule → its roster."""
    absent = absences_of(owners, zone)
    return {
        name: Roster(name, schedule, tuple(swaps.get(name, ())), tuple(covers.get(name, ())), absent)
        for name, schedule in file.schedules.items()
    }
