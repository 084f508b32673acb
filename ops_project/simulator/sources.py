"""The source systems by domain, and the loop that lets a source deliver one day after the other."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol, cast
from zoneinfo import ZoneInfo

import duckdb

from ops_project.catalog import Catalog
from ops_project.counted import counted
from ops_project.simulator.outbox import Outbox
from ops_project.simulator.world import EPOCH, World

# Domain → the module of its source system. A module is imported only when it is needed.
SOURCES: dict[str, str] = {
    "ecommerce": "ops_project.simulator.ecommerce",
    "marketing": "ops_project.simulator.marketing",
    "investor": "ops_project.simulator.investor",
    "streaming": "ops_project.simulator.streaming",
    "insurance": "ops_project.simulator.insurance",
}
MEMORY_LIMIT = "1GB"


class Source(Protocol):
    """What each domain's module contains."""

    DOMAIN: str
    FEEDS: tuple[str, ...]

    def file_name(self, feed: str, day: date) -> str:
        """The name of the feed's file of a day."""

    def deliver(self, world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:
        """Stage the files of a business date. `first`: true if nothing of this domain was delivered before."""


@dataclass(frozen=True)
class Window:
    """A range of business dates. Both ends are included."""

    start: date
    end: date

    @classmethod
    def ending(cls, end: date, days: int) -> Window:
        if days < 1:
            raise ValueError(f"{counted(days, 'day')} cannot be simulated; ask for at least 1")
        return cls(end - timedelta(days=days - 1), end)

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1))


PutIn = Callable[[Outbox, date], None]


def source_of(domain: str) -> Source:
    """The source system of a domain. Raises KeyError if there is none."""
    return cast(Source, importlib.import_module(SOURCES[domain]))


def strangers(domain: str, catalog: Catalog) -> list[str]:
    """The feeds of the simulated source whose files match no contract of this configuration. There are such feeds only
    if an overlay has replaced contracts.
    """
    source = source_of(domain)
    return [
        feed
        for feed in source.FEEDS
        if feed not in catalog.feeds or catalog.feeds[feed].match(source.file_name(feed, EPOCH)) is None
    ]


def stage(
    domain: str,
    world: World,
    window: Iterable[date],
    *,
    inbound: Path,
    zone: ZoneInfo,
    now: datetime,
    initial_on: date | None,
    record: Callable[[str, Sequence[Path]], None],
    only: frozenset[str] = frozenset(),
    put_in: PutIn | None = None,
) -> Iterator[tuple[date, Outbox]]:
    """Stage a domain's days one after the other, and yield each day with its files. The caller publishes or discards
    the files.

    `initial_on`: the day that has the initial load, if the source sends one.

    `record`: called with the files of a day before they become visible.

    `only`: the feeds to deliver. Empty means all feeds.

    `put_in`: may change the staged files of a day, for example to put faults in.
    """
    source = source_of(domain)
    _sweep(inbound / domain)
    # With two threads, a COPY of 5 rows and one of 400,000 rows both take half as much CPU again, and no less time.
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 1}) as connection:
        # In an interactive process DuckDB would write its own progress bar to standard output.
        connection.execute("SET enable_progress_bar = false")
        for day in window:
            outbox = Outbox(inbound=inbound, domain=domain, connection=connection, now=now, record=record, only=only)
            try:
                source.deliver(world, zone, day, outbox, first=day == initial_on)
                if put_in is not None:
                    put_in(outbox, day)
            except BaseException:
                outbox.discard()
                raise
            yield day, outbox


def _sweep(folder: Path) -> None:
    """Remove staged files of simulations that were killed. The files of a running simulation stay."""
    for stale in folder.glob(".staging-*"):
        pid = int(stale.name.rpartition("-")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            shutil.rmtree(stale, ignore_errors=True)
        except PermissionError:
            continue
