"""Groups that have nothing to send: until when they can be skipped, and what makes them due at once. The ledger does
not store these facts. So a new process looks at each group once more than necessary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime

_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class _Round:
    """The groups of one route whose regular flush is at the same time."""

    route: str
    following: datetime
    """The next regular flush."""
    until: dict[str, datetime] = field(default_factory=dict)
    """Key of a group → when it may have something to send again."""
    earliest: datetime = _NEVER

    def add(self, key: str, until: datetime) -> None:
        self.until[key] = until
        self.earliest = min(self.earliest, until)

    def take(self, now: datetime) -> list[str]:
        """Remove the groups that may have something to send at `now`, and return their keys."""
        due = [key for key, until in self.until.items() if until <= now]
        for key in due:
            del self.until[key]
        self.earliest = min(self.until.values(), default=_NEVER)
        return due


class Settled:
    """The groups that have nothing to send, arranged by their next regular flush. Thousands of them come due together.
    If none of them has changed and none must be repeated, the whole round is skipped at once.
    """

    def __init__(self) -> None:
        self.unsettled: set[str] = set()
        """All other groups. They are due at the time that is stored in the group."""
        self._round_of: dict[str, _Round] = {}
        self._rounds: dict[tuple[str, datetime], _Round] = {}

    def keys(self) -> Set[str]:
        """The keys of the groups that have nothing to send."""
        return self._round_of.keys()

    def settle(self, key: str, route: str, following: datetime, until: datetime) -> None:
        """Record that the group was looked at. `following`: its next regular flush. `until`: when its next repeat is
        due.
        """
        self._remove(key)
        self.unsettled.discard(key)
        found = self._rounds.get((route, following))
        if found is None:
            found = self._rounds[route, following] = _Round(route, following)
        found.add(key, until)
        self._round_of[key] = found

    def changed(self, key: str) -> None:
        """Record that the group, or an alert in it, has changed. The group is looked at in its next regular flush."""
        found = self._round_of.get(key)
        if found is None:
            self.unsettled.add(key)
        else:
            found.add(key, _AT_ONCE)

    def all_changed(self) -> None:
        """Let every group be looked at in its next regular flush."""
        for key, found in self._round_of.items():
            found.add(key, _AT_ONCE)

    def forget(self, key: str) -> None:
        """Let the group be due at the time that is stored in it."""
        self._remove(key)
        self.unsettled.add(key)

    def removed(self, key: str) -> None:
        """Record that the group no longer exists."""
        self._remove(key)
        self.unsettled.discard(key)

    def take_due(self, now: datetime, following: Callable[[str], datetime]) -> list[str]:
        """The groups whose regular flush may find something to send. They no longer count as groups with nothing to
        send. For the other groups, `following` gives the next regular flush of their route.
        """
        due: list[str] = []
        for place in [place for place in self._rounds if place[1] <= now]:
            held = self._rounds.pop(place)
            if held.earliest <= now:
                due += held.take(now)
            if held.until:
                held.following = following(held.route)
                self._put(held)
        for key in due:
            del self._round_of[key]
        self.unsettled.update(due)
        return due

    def _put(self, held: _Round) -> None:
        place = held.route, held.following
        known = self._rounds.get(place)
        if known is not None:
            # Rounds that are late come due together, so there are never many rounds.
            if len(known.until) > len(held.until):
                known, held = held, known
            for key, until in known.until.items():
                held.add(key, until)
                self._round_of[key] = held
        self._rounds[place] = held

    def _remove(self, key: str) -> None:
        found = self._round_of.pop(key, None)
        if found is not None:
            del found.until[key]
            if not found.until:
                del self._rounds[found.route, found.following]

    def next_looks(self) -> Iterator[datetime]:
        """For each round, the next time at which one of its groups may have something to send."""
        for held in self._rounds.values():
            yield max(held.following, held.earliest)
