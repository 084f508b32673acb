"""One call of the simulator: which domains, which days, which world, which faults.

Values that the caller does not give come from the memory of the home: a second call continues where the first one
ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ops_project.catalog import Catalog
from ops_project.settings import Settings
from ops_project.simulator import memory, own_files, sources
from ops_project.simulator.domains import SIMULATED
from ops_project.simulator.faults import appliers
from ops_project.simulator.faults.injector import Injector, write_down
from ops_project.simulator.faults.registry import resolve
from ops_project.simulator.faults.request import FaultError, Request
from ops_project.simulator.outbox import Outbox
from ops_project.simulator.sources import Window
from ops_project.simulator.world import World

DEFAULT_DAYS = 30

Progress = Callable[[str, date, int, int], None]
"""A callback for progress. It is called with the domain, the day, the number of days done and the number of all
days.
"""


class SimulationError(ValueError):
    """The request cannot be simulated. The message says what would be right."""


@dataclass(frozen=True)
class Asked:
    """The caller's request. None means that the caller gave no value."""

    domains: Sequence[str] = ()
    days: int | None = None
    end: date | None = None
    scale: float | None = None
    seed: int | None = None
    feeds: Sequence[str] = ()
    faults: Sequence[Request] = ()
    inbound_only: bool = False
    """Deliver nothing, and break the files that are in inbound."""
    postgres: str | None = None
    """URL of the database that gets the investor transactions instead of inbound."""

    @property
    def says_what_to_deliver(self) -> bool:
        return bool(self.domains or self.feeds or self.days or self.end)


@dataclass
class Report:
    """The days and files that a domain's source delivered. If nothing was left to do, `start` and `end` are None."""

    domain: str
    seed: int
    scale: float
    start: date | None = None
    end: date | None = None
    files: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """The number of records of each feed, as the source made them, before faults."""


@dataclass
class Result:
    """The result of one call."""

    reports: list[Report] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    """The faults, as in truth.json."""


def yesterday(now: datetime, zone: ZoneInfo) -> date:
    """The last business date that has ended, in the platform's zone."""
    return now.astimezone(zone).date() - timedelta(days=1)


def simulate(
    settings: Settings, catalog: Catalog, now: datetime, asked: Asked, progress: Progress | None = None
) -> Result:
    """Deliver the requested files, with their faults, into the home's inbound folder.

    Raises SimulationError or FaultError if the request cannot be fulfilled. A request with an unknown name or an
    impossible date is refused before anything is written. Whether a file can be broken is known only when the day of
    the fault is made. If it cannot be broken, the days before stay delivered.
    """
    faults = [resolve(request, catalog) for request in asked.faults]
    injector = Injector(catalog, faults, now)
    elsewhere = [fault for fault in faults if fault.fault.apply != "file"]
    result = Result()
    if asked.inbound_only:
        if not injector.faults:
            raise SimulationError("--inbound-only breaks files that lie in inbound: name a file fault with --fault")
        _break_inbound(settings, injector)
    elif not elsewhere or injector.faults or asked.says_what_to_deliver:
        for fault in injector.faults:
            if fault.domain not in SIMULATED:
                raise FaultError(
                    f"fault {fault.request}: domain {fault.domain!r} is not simulated; put its files into inbound, "
                    "then add --inbound-only"
                )
        _deliver(settings, catalog, now, asked=asked, injector=injector, result=result, progress=progress)
    result.faults = injector.done + [appliers.carry_out(fault, settings, catalog, now) for fault in elsewhere]
    write_down(settings, result.faults)
    return result


def _break_inbound(settings: Settings, injector: Injector) -> None:
    domains = {fault.domain for fault in injector.faults}
    # Simulated files that a fault has changed or copied are no user's files.
    simulated = [name for name in domains if not own_files.any_in(settings.home, settings.inbound, name)]
    injector.break_inbound(settings.inbound)
    for name in simulated:
        own_files.record(settings.home, name, own_files.files_of(settings.inbound, name))


def _deliver(
    settings: Settings,
    catalog: Catalog,
    now: datetime,
    *,
    asked: Asked,
    injector: Injector,
    result: Result,
    progress: Progress | None,
) -> None:
    remembered = memory.recall(settings.home)
    zone, first_date = catalog.platform.zone, catalog.platform.start_date
    plans = []
    for domain in _domains(asked, catalog):
        known = remembered.get(domain)
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
        plans.append((domain, world, window, known))
    if stray := [fault for fault in injector.faults if fault.domain not in [plan[0] for plan in plans]]:
        raise SimulationError(f"fault {stray[0].request} concerns domain {stray[0].domain!r}, which was not asked for")
    # Domains with a fault come first. So if a fault cannot be put in, no domain without a fault has been delivered yet.
    for domain, world, window, known in sorted(plans, key=lambda plan: not injector.concerns(plan[0])):
        report = Report(domain, world.seed, world.scale)
        result.reports.append(report)
        if window is None:
            continue
        report.start, report.end = window.start, window.end
        total = (window.end - window.start).days + 1
        delivered = sources.deliver(
            domain,
            world,
            window,
            inbound=settings.inbound,
            zone=zone,
            now=now,
            initial_on=window.start if known is None or window.start <= known.since else None,
            record=partial(own_files.record, settings.home),
            only=frozenset(asked.feeds),
            before_publish=partial(
                _before_publish,
                injector,
                world,
                postgres=asked.postgres,
                again=_again(catalog, known, injector),
            ),
        )
        rows: Counter[str] = Counter()
        for done, (day, files) in enumerate(delivered, start=1):
            report.files += len(files)
            report.bytes += sum(file.path.stat().st_size for file in files)
            for file in files:
                rows[file.feed] += file.rows
            if progress is not None:
                progress(domain, day, done, total)
        report.rows = dict(rows)
        if asked.feeds:
            continue  # The other feeds of these days were not delivered yet.
        fresh = memory.Remembered(world.seed, world.scale, window.start, window.end)
        remembered[domain] = known.extended(world, window.start, window.end) if known else fresh
        memory.remember(settings.home, remembered)


@dataclass(frozen=True)
class Again:
    """Days that were delivered before. They are simulated again only because a fault needs a day."""

    catalog: Catalog
    since: date
    until: date

    def __contains__(self, day: date) -> bool:
        return self.since <= day <= self.until


def _again(catalog: Catalog, known: memory.Remembered | None, injector: Injector) -> Again | None:
    """The days that were delivered before; None if there are none, or if the request has no fault. Of these days, only
    the files that a fault changes are delivered again.
    """
    if known is None or not injector.faults:
        return None
    return Again(catalog, known.since, known.until)


def _before_publish(
    injector: Injector, world: World, outbox: Outbox, day: date, *, postgres: str | None, again: Again | None
) -> None:
    """Put the faults of a day into its files.

    `postgres`: URL of a database that gets the transactions instead of inbound.

    `again`: the days that were delivered before. Of such a day, only the files that a fault changes stay.
    """
    delivered = again.catalog if again is not None and day in again else None
    if delivered is not None and not injector.strikes(outbox.domain, day):
        outbox.discard()  # No fault of the domain falls on this day, so the day would only be delivered twice.
        return
    before = {file.name: file.path.read_bytes() for file in outbox.staged} if delivered is not None else {}
    waiting = {name for name in before if (outbox.folder / name).exists()}
    injector.put_in(outbox, day, world)
    if delivered is not None:
        withdrawn = any(not (outbox.folder / name).exists() for name in waiting)
        _keep_what_broke(outbox, before, delivered, day, withdrawn=withdrawn)
    moved = [file for file in outbox.staged if postgres and file.feed == "transactions"]
    if postgres and moved:
        from ops_project.simulator.investor_postgres import fill

        fill(postgres, [file.path for file in moved])
        outbox.staged = [file for file in outbox.staged if file not in moved]


def _keep_what_broke(outbox: Outbox, before: dict[str, bytes], catalog: Catalog, day: date, *, withdrawn: bool) -> None:
    """Leave out the feeds that no fault changed, because their files would be duplicate deliveries that hide the fault.

    Raises SimulationError if the fault has no effect. That is so if each data file equals the delivered one, and no
    waiting file was withdrawn: a file that has landed can no longer be missing or late.
    """
    broken = {
        file.feed
        for file in outbox.staged
        if catalog.feeds[file.feed].match(file.name) is not None and file.path.read_bytes() != before.get(file.name)
    }
    if not broken and not withdrawn:
        after = day + timedelta(days=2)
        raise SimulationError(
            f"{day} has been delivered, and this fault changes no file of it; put the fault into a new day: "
            f"ops simulate --as-of {after} --fault … and then ops run --as-of {after}"
        )
    outbox.staged = [file for file in outbox.staged if file.feed in broken]


def _domains(asked: Asked, catalog: Catalog) -> list[str]:
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
    """The days to deliver; None if the home already has everything up to the end."""
    end = asked.end or last
    if asked.days is not None:
        return Window.ending(end, asked.days)
    if known is None:
        return Window.ending(end, DEFAULT_DAYS)
    if known.until < end:
        return Window(known.until + timedelta(days=1), end)
    # A fault needs a day, and a requested end is a request for that day. So the last day is delivered again.
    return Window(end, end) if faulty or asked.end else None
