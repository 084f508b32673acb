"""A copy of a part of the state that is kept from one decision to the next, with facts that are derived from it.

With thousands of open alerts, nearly all of them are the same as five seconds before. A walk over them costs more per
alert when there are more of them, because they no longer fit into the processor's caches. So a decision compares the
state with this copy, which hardly touches an entry that has not changed, and derives facts only from the others.

The facts depend on the copy and on nothing else. If a decision is given up, or if another process has written, the next
comparison finds the differences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(ABC, Generic[Key, Value]):
    """The copy. `readers`: the stages that ask which entries have changed since they asked last."""

    readers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.held: dict[Key, Value] = {}
        self._news: dict[str, set[Key]] = {name: set() for name in self.readers}

    def compare(self, current: Mapping[Key, Value], among: Iterable[Key] | None = None) -> None:
        """Follow the differences from `current`. `among`: no other entry can have changed."""
        if among is None:
            if self.held == current:  # entries that are the same object are equal without being looked at
                return
            among = self._different(current)
        for key in among:
            self.found(key, current.get(key))

    def _different(self, current: Mapping[Key, Value]) -> list[Key]:
        held = self.held
        changed = [k for k, value in current.items() if (b := held.get(k)) is not value and b != value]
        return [*changed, *(held.keys() - current.keys())]

    def found(self, key: Key, value: Value | None) -> None:
        """The comparison met this entry."""
        self.follow(key, value)

    def follow(self, key: Key, value: Value | None) -> None:
        """The entry is `value` now; None means that the entry does not exist any more."""
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
        """The readers will learn that this entry has changed."""
        for news in self._news.values():
            news.add(key)

    def tell_all(self) -> None:
        """The readers must look at every entry again."""
        for news in self._news.values():
            news.update(self.held)

    def news_for(self, reader: str) -> set[Key]:
        """The entries that have changed since this reader asked last."""
        found = self._news[reader]
        self._news[reader] = set()
        return found

    @abstractmethod
    def enter(self, key: Key, value: Value, /) -> None:
        """Derive the facts of a new entry."""

    @abstractmethod
    def leave(self, key: Key, value: Value, /) -> None:
        """Take back the facts of an entry."""
