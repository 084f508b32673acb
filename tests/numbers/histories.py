"""Random histories of deliveries: late files, corrections, resends, changed dates, rows and keys that vanish."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.numbers.site import Row, Site

FIRST = date(2026, 4, 27)
DAYS = [FIRST + timedelta(days=number) for number in range(7)]


@dataclass(frozen=True)
class Delivery:
    """One file."""

    feed: str
    day: date
    rows: tuple[Row, ...]
    part: str | None = None

    @property
    def place(self) -> tuple[str, date, str | None]:
        return self.feed, self.day, self.part


@dataclass
class History:
    """The runs in which the files come. For each date and part, the last file is the valid one."""

    runs: list[list[Delivery]]

    def standing(self, feed: str) -> list[Delivery]:
        """The valid files, by date and part."""
        found = {delivery.place: delivery for run in self.runs for delivery in run if delivery.feed == feed}
        return sorted(found.values(), key=lambda delivery: (delivery.day, delivery.part or ""))

    def rows(self, feed: str) -> Iterator[tuple[Delivery, Row]]:
        for delivery in self.standing(feed):
            for row in delivery.rows:
                yield delivery, row

    def without(self, feed: str) -> History:
        """The same history, in which this feed never delivers."""
        return History([[delivery for delivery in run if delivery.feed != feed] for run in self.runs])

    def play(self, site: Site, after_run: Callable[[], None] = lambda: None, *, together: bool = False) -> None:
        """Deliver, land and build, run by run. `together`: a file and its correction wait in the inbound folder together."""
        for run in self.runs:
            for delivery in run:
                site.put(delivery.feed, delivery.day, delivery.rows, part=delivery.part)
                if not together and [other for other in run if other.place == delivery.place][-1] is not delivery:
                    site.land()
            site.run()
            after_run()


@dataclass
class Source(ABC):
    """The common part of the histories of all domains."""

    seed: int
    runs: int = 3
    days: list[date] = field(default_factory=lambda: DAYS)
    missing: float = 0.1
    """Share of the files that never come."""
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def history(self) -> History:
        """Files of all days, some never sent, some sent again with fewer rows; shuffled over the runs."""
        first: list[Delivery] = []
        again: list[Delivery] = []
        for day in self.days:
            for delivery in self.files(day):
                if self.chance.random() < self.missing and day != self.days[0]:
                    continue
                first.append(delivery)
                if self.chance.random() < 0.25:
                    kept = tuple(row for row in delivery.rows if self.chance.random() < 0.7)
                    again.append(Delivery(delivery.feed, delivery.day, kept, delivery.part))
        runs: list[list[Delivery]] = [[] for _ in range(self.runs)]
        came: dict[Any, int] = {}
        for delivery in first:
            usual = self.days.index(delivery.day) * self.runs // len(self.days)
            place = self.chance.randrange(usual, self.runs) if self.chance.random() < 0.4 else usual
            came[delivery.place] = place
            runs[place].append(delivery)
        for delivery in again:
            runs[self.chance.randrange(came[delivery.place], self.runs)].append(delivery)
        return History(runs)

    @abstractmethod
    def files(self, day: date) -> list[Delivery]:
        """The rows that the sources send for one day."""

    def some(self, values: list[Any], share: float = 0.6) -> list[Any]:
        return [value for value in values if self.chance.random() < share]
