"""Finds the incidents that an alert may belong to, by key, asset and job.

There may be thousands of alerts and incidents at the same time. So the incidents are found through an index, and are
never searched one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ops_project.operations.incidents.decide.incident import Incident


class Book:
    """All incidents, with an index. If several fit a question, the one with the lowest number is returned."""

    def __init__(self, incidents: Iterable[Incident]) -> None:
        self._incidents: dict[int, Incident] = {}
        self._with_key: dict[str, set[int]] = {}
        self._open_about: dict[str, set[int]] = {}
        self._open_without_assets: dict[str, set[int]] = {}
        for incident in sorted(incidents, key=lambda found: found.number):
            self.put(incident)

    def __iter__(self) -> Iterator[Incident]:
        """The incidents in the order of their numbers."""
        return iter([self._incidents[number] for number in sorted(self._incidents)])

    def put(self, incident: Incident) -> None:
        """Store the present form of an incident."""
        before = self._incidents.get(incident.number)
        self._incidents[incident.number] = incident
        if before is not None and before.open:
            self._forget_open(before)
        for key in incident.keys if before is None else incident.keys[len(before.keys) :]:
            self._with_key.setdefault(key, set()).add(incident.number)
        if incident.open:
            for asset in incident.assets:
                self._open_about.setdefault(asset, set()).add(incident.number)
            if not incident.assets:
                self._open_without_assets.setdefault(incident.pipeline, set()).add(incident.number)

    def _forget_open(self, incident: Incident) -> None:
        for asset in incident.assets:
            self._open_about.get(asset, set()).discard(incident.number)
        self._open_without_assets.get(incident.pipeline, set()).discard(incident.number)

    def get(self, number: int | None) -> Incident | None:
        return None if number is None else self._incidents.get(number)

    def with_key(self, key: str) -> list[Incident]:
        """The incidents to which an alert with this key belongs or has belonged, the oldest first."""
        return [self._incidents[number] for number in sorted(self._with_key.get(key, ()))]

    def has_key(self, incident: Incident, key: str) -> bool:
        return incident.number in self._with_key.get(key, ())

    def open_one(self, key: str, reaches: Iterable[Iterable[str]], job: str | None) -> Incident | None:
        """The oldest open incident that fits; None if none fits. An incident fits if it has this key, or if it is about
        an asset in one of the sets `reaches`. If `job` is given, an incident of this job that is about no asset fits
        too.
        """
        found = {number for number in self._with_key.get(key, ()) if self._incidents[number].open}
        for reach in reaches:
            near = frozenset(reach)
            # The smaller of the two sets is searched, because the graph may be deep and the open incidents may be many.
            assets = near if len(near) < len(self._open_about) else self._open_about.keys() & near
            for asset in assets:
                found |= self._open_about.get(asset, set())
        if job:
            found |= self._open_without_assets.get(job, set())
        return self._incidents[min(found)] if found else None
