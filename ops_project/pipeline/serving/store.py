"""The interface of every serving store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

# A refused request is sent at most this many times. Each pause is twice as long as the one before, up to the longest
# pause. All pauses together take 16 s.
ATTEMPTS = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 5.0


@dataclass(frozen=True)
class Item:
    """One entry: a partition key, a sort key and the stored value. The value is JSON-like, with decimals and not
    floats.
    """

    partition: str
    sort: str
    value: Mapping[str, Any]


@dataclass(frozen=True)
class LoadResult:
    """The result of a load."""

    written: int
    deleted: int
    unchanged: int
    throttled_requests: int
    """The number of requests that the store refused for lack of capacity and that were sent again."""


class Throttled(RuntimeError):
    """The store still refused requests after all retries. Items that were written stay, and a rerun completes the
    load.
    """

    def __init__(self, message: str, throttled_requests: int) -> None:
        super().__init__(message)
        self.throttled_requests = throttled_requests


def attempts(pause: Callable[[float], None]) -> Iterator[int]:
    """The numbers of the attempts, from 1, with a pause before each except the first."""
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))
        yield attempt + 1


class Store(Protocol):
    """A serving store: a table of items, each under a partition key and a sort key."""

    name: str

    def replace(self, sort: str, items: Iterable[Item]) -> LoadResult:
        """Replace all items under this sort key by `items`. A repeated call changes nothing."""

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """The value under a key; None if there is none."""

    def sort_keys(self) -> list[str]:
        """Every sort key that has items."""

    def close(self) -> None: ...
