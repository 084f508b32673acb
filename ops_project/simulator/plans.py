"""Plans one call of the simulator: the domains, the days, and the seed and scale of the data.

For values that the caller does not give, the values that the home remembers are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ops_project.catalog import Catalog
from ops_project.simulator import memory, sources
from ops_project.simulator.domains import SIMULATED
from ops_project.simulator.faults.injector import Injector
from ops_project.simulator.faults.request import Request
from ops_project.simulator.sources import Window
from ops_project.simulator.world import World

DEFAULT_DAYS = 30


class SimulationError(ValueError):
    """The request cannot be simulated. The message says what would be right."""


@dataclass(frozen=True)
class Asked:
    """The caller's request. A field that is None was not given."""

    domains: Sequence[str] = ()
    days: int | None = None
    end: date | None = None
    scale: float | None = None
    seed: int | None = None
    feeds: Sequence[str] = ()
    faults: Sequence[Request] = ()
    inbound_only: bool = False
    """True: deliver nothing, and put the faults into files that are already in inbound."""
    postgres: str | None = None
    """URL of the database that gets the investor transactions in place of inbound."""

    @property
    def says_what_to_deliver(self) -> bool:
        return bool(self.domains or self.feeds or self.days or self.end)


def yesterday(now: datetime, zone: ZoneInfo) -> date:
    """The last business date that has ended, in the platform's zone."""
    return now.astimezone(zone).date() - timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """What the source of one domain delivers in this call."""

    domain: str
    world: World
    window: Window | None
    """The days to deliver; None if the home already has all of them."""
    known: memory.Remembered | None
    """What the home remembers of the same seed and scale."""


def plan_of(
    domain: str, catalog: Catalog, now: datetime, *, asked: Asked, injector: Injector, known: memory.Remembered | None
) -> Plan:
    zone, first_date = catalog.platform.zone, catalog.platform.start_date
    world = World(
        asked.seed if asked.seed is not None else known.seed if known else World.seed,
        asked.scale if asked.scale is not None else known.scale if known else World.scale,
    )
    if known is not None and known.world != world:
        known = None
    window = _window(asked, known, yesterday(now, zone), injector.concerns(domain))
    if window is not None and window.start < first_date:
        raise SimulationError(f"{window.start} lies before the platform's start_date {first_date} (platform.yaml)")
    if window is not None:
        injector.expect(domain, window.start, window.end)
    return Plan(domain, world, window, known)


def domains_of(asked: Asked, catalog: Catalog) -> list[str]:
    """The domains to simulate. Raises SimulationError if one has no simulated source."""
    for domain in asked.domains:
        if domain not in SIMULATED:
            hint = " (it has feeds; put its files into inbound yourself)" if catalog.feeds_of(domain) else ""
            valid = ", ".join(SIMULATED)
            raise SimulationError(f"no source system is simulated for {domain!r}{hint}; valid: {valid}")
        if foreign := sources.strangers(domain, catalog):
            raise SimulationError(
                f"domain {domain!r} has other sources in this configuration: its contracts match no simulated file of "
                f"{', '.join(foreign)}; put your files into inbound/{domain}"
            )
    chosen = list(asked.domains)
    for feed in asked.feeds:
        owner = next((name for name in SIMULATED if feed in sources.source_of(name).FEEDS), None)
        if owner is None:
            feeds = [feed for name in SIMULATED for feed in sources.source_of(name).FEEDS]
            raise SimulationError(f"no source system sends a feed {feed!r}; valid: {', '.join(feeds)}")
        if asked.domains and owner not in asked.domains:
            raise SimulationError(f"feed {feed!r} belongs to domain {owner!r}, which was not asked for")
        if owner not in chosen:
            chosen.append(owner)
    return chosen or [domain for domain in SIMULATED if not sources.strangers(domain, catalog)]


def _window(asked: Asked, known: memory.Remembered | None, last: date, faulty: bool) -> Window | None:
    """The days to deliver; None if the home already has all days up to the end."""
    end = asked.end or last
    if asked.days is not None:
        return Window.ending(end, asked.days)
    if known is None:
        return Window.ending(end, DEFAULT_DAYS)
    if known.until < end:
        return Window(known.until + timedelta(days=1), end)
    # The home already has these days. If the request has a fault or an end, the last day is delivered again.
    return Window(end, end) if faulty or asked.end else None
