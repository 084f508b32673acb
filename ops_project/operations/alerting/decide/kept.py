"""A copy of a part of the state, with facts that are derived from it. It is kept from one decision to the next.

With thousands of open alerts, nearly all are the same as five seconds before. The more alerts there are, the longer it
takes to look at each of them, because they no longer fit into the processor's caches. So a decision compares the state
with this copy, which hardly touches an unchanged entry. It derives facts only from changed entries.

The facts depend only on the copy. If a decision is abandoned, or if another process has written, the next comparison
finds the differences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(ABC, Generic[Key, Value]):
    """The copy. `readers`: the names of the stages that ask which entries have changed since they last asked."""

    readers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.held: dict[Key, Value] = {}
        self._news: dict[str, set[Key]] = {name: set() for name in self.readers}

    def compare(self, current: Mapping[Key, Value], among: Iterable[Key] | None = None) -> None:
        """Take over the differences from `current`. `among`: the only keys whose entries can have changed; None if
        every entry can have changed.
        """
        if among is None:
            # Entries that are the same object count as equal without being compared field by field.
            if self.held == current:
                return
            among = self._different(current)
        for key in among:
            self.found(key, current.get(key))

    def _different(self, current: Mapping[Key, Value]) -> list[Key]:
        held = self.held
        changed = [k for k, value in current.items() if (b := held.get(k)) is not value and b != value]
        return [*changed, *(held.keys() - current.keys())]

    def found(self, key: Key, value: Value | None) -> None:
        """Called by `compare` for each entry that may differ."""
        self.follow(key, value)

    def follow(self, key: Key, value: Value | None) -> None:
        """Record that the entry is now `value`; None means that the entry no longer exists."""
        before = self.held.get(key)
        if before is value:
            return
        if before is not None:
            self.leave(key, before)
            del self.held[key]
        if value is not None:
            self.held[key] = value
            self.enter(key, value)
        self.tell(key)

    def tell(self, key: Key) -> None:
        """Let all readers know that this entry has changed."""
        for news in self._news.values():
            news.add(key)

    def tell_all(self) -> None:
        """Let all readers look at every entry again."""
        for news in self._news.values():
            news.update(self.held)

    def news_for(self, reader: str) -> set[Key]:
        """The entries that have changed since this reader last asked."""
        found = self._news[reader]
        self._news[reader] = set()
        return found

    @abstractmethod
    def enter(self, key: Key, value: Value, /) -> None:
        """Derive the facts of a new entry."""

    @abstractmethod
    def leave(self, key: Key, value: Value, /) -> None:
        """Remove the facts of an entry."""
