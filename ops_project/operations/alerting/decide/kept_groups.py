"""The copy of the groups, arranged by alert and by place. It also knows the groups that have nothing to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ops_project.operations.alerting.decide.grouping import Group
from ops_project.operations.alerting.decide.kept import Kept
from ops_project.operations.alerting.decide.settled import Settled

Place = tuple[str, tuple[tuple[str, str], ...]]


def place_of(route: str, labels: Mapping[str, str]) -> Place:
    """The place of a group: its route, and the labels that its alerts share."""
    return route, tuple(sorted(labels.items()))


class KeptGroups(Kept[str, Group]):
    """The groups of the state, by key."""

    readers = ("bound",)

    def __init__(self) -> None:
        super().__init__()
        self.of_alert: dict[int, set[str]] = {}
        self.at: dict[Place, str] = {}
        self.settled = Settled()
        self.left: set[int] = set()
        """Alerts whose last group is gone. `dispatch` puts those that still fire into a new one."""

    def found(self, key: str, value: Group | None) -> None:
        """Another process has written this group. So it is treated as new, and is looked at again."""
        self.follow(key, value)
        if value is not None:
            self.settled.forget(key)

    def enter(self, key: str, value: Group, /) -> None:
        self._join(key, value.members)
        self.at[_place(value)] = key

    def leave(self, key: str, value: Group, /) -> None:
        self._part(key, value.members)
        place = _place(value)
        if self.at.get(place) != key:
            return
        # An earlier version may have left two groups in the same place.
        twins = len(self.at) < len(self.held)
        others = (k for k, group in self.held.items() if k != key and _place(group) == place) if twins else iter(())
        if (other := next(others, None)) is not None:
            self.at[place] = other
        else:
            del self.at[place]

    def follow(self, key: str, value: Group | None) -> None:
        before = self.held.get(key)
        if before is not None and value is not None and _place(before) == _place(value):
            # A group can have thousands of members, of which usually only a few change.
            self._part(key, before.members - value.members)
            self._join(key, value.members - before.members)
            self.held[key] = value
            self.tell(key)
        else:
            super().follow(key, value)
        if value is None:
            self.settled.removed(key)
        else:
            self.settled.changed(key)

    def _join(self, key: str, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.of_alert.setdefault(number, set()).add(key)

    def _part(self, key: str, numbers: Iterable[int]) -> None:
        for number in numbers:
            keys = self.of_alert[number]
            keys.discard(key)
            if not keys:
                del self.of_alert[number]
                self.left.add(number)


def _place(group: Group) -> Place:
    return place_of(group.route, group.labels)
