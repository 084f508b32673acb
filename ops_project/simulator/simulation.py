"""Carries out one call of the simulator, which delivers files and puts faults into them.

For values that the caller does not give, the values that the home remembers are used. So a second call continues where
the first ended.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ops_project.catalog import Catalog
from ops_project.settings import Settings
from ops_project.simulator import memory, own_files, sources
from ops_project.simulator.domains import SIMULATED
from ops_project.simulator.faults import appliers
from ops_project.simulator.faults.injector import Injector, write_down
from ops_project.simulator.faults.registry import resolve
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.outbox import Outbox, Staged
from ops_project.simulator.plans import Asked, Plan, SimulationError, domains_of, plan_of
from ops_project.simulator.world import World

Progress = Callable[[str, date, int, int], None]
"""A callback that reports progress: (domain, day, number of days that are done, number of all days)."""


@dataclass
class Report:
    """The days and files that a domain's source delivered. `start` and `end` are None if it delivered nothing."""

    domain: str
    seed: int
    scale: float
    start: date | None = None
    end: date | None = None
    files: int = 0
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Feed → number of records that the source made, before faults were put in."""


@dataclass
class Result:
    """The result of one call."""

    reports: list[Report] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    """The entries for the faults, as in truth.json."""


def simulate(
    settings: Settings, catalog: Catalog, now: datetime, asked: Asked, progress: Progress | None = None
) -> Result:
    """Deliver the requested files, with their faults, into the home's inbound folder.

    Raises SimulationError or FaultError if the request cannot be fulfilled. Then inbound is unchanged.

    Faults outside of inbound are applied one after the other. If one of them is refused, the earlier ones stay, and
    truth.json lists them.
    """
    faults = [resolve(request, catalog) for request in asked.faults]
    injector = Injector(catalog, faults, now)
    elsewhere = [fault for fault in faults if fault.fault.apply != "file"]
    result = Result()

    def carry_out() -> None:
        for fault in elsewhere:
            result.faults.append(appliers.carry_out(fault, settings, catalog, now))

    try:
        if asked.inbound_only:
            if not injector.faults:
                raise SimulationError("--inbound-only breaks files that lie in inbound: name a file fault with --fault")
            _rehearse(settings, Injector(catalog, faults, now))
            carry_out()
            _break_inbound(settings, injector)
            result.faults[:0] = injector.done
        elif not elsewhere or injector.faults or asked.says_what_to_deliver:
            for fault in injector.faults:
                if fault.domain not in SIMULATED:
                    raise FaultError(
                        f"fault {fault.request}: domain {fault.domain!r} is not simulated; put its files into inbound, "
                        "then add --inbound-only"
                    )
            _deliver(
                settings,
                catalog,
                now,
                asked=asked,
                injector=injector,
                before_publishing=carry_out,
                result=result,
                progress=progress,
            )
        else:
            carry_out()
    finally:
        write_down(settings, result.faults)
    return result


def _rehearse(settings: Settings, injector: Injector) -> None:
    """Put the faults into a copy of the files. Raises FaultError if a fault cannot be put in."""
    with tempfile.TemporaryDirectory(prefix="ops-rehearsal-") as folder:
        for name in {fault.domain for fault in injector.faults}:
            for path in own_files.files_of(settings.inbound, name):
                target = Path(folder) / name / path.name
                target.parent.mkdir(exist_ok=True)
                shutil.copy2(path, target)
        injector.break_inbound(Path(folder))


def _break_inbound(settings: Settings, injector: Injector) -> None:
    domains = {fault.domain for fault in injector.faults}
    # If a fault changes or copies a simulated file, the result does not count as a user's file.
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
    before_publishing: Callable[[], None],
    result: Result,
    progress: Progress | None,
) -> None:
    remembered = memory.recall(settings.home)
    plans = [
        plan_of(domain, catalog, now, asked=asked, injector=injector, known=remembered.get(domain))
        for domain in domains_of(asked, catalog)
    ]
    if stray := [fault for fault in injector.faults if fault.domain not in [plan.domain for plan in plans]]:
        raise SimulationError(f"fault {stray[0].request} concerns domain {stray[0].domain!r}, which was not asked for")
    with ExitStack() as unpublished:

        def staged(plan: Plan) -> Iterator[tuple[date, Outbox]]:
            if plan.window is None:
                return
            total = (plan.window.end - plan.window.start).days + 1
            for done, (day, outbox) in enumerate(
                _staged(settings, catalog, now, plan, asked=asked, injector=injector), start=1
            ):
                unpublished.callback(outbox.discard)
                if progress is not None:
                    progress(plan.domain, day, done, total)
                yield day, outbox

        # Only when a day has been made is it known whether its files can take the fault. So nothing becomes visible
        # before every day with a fault has been made. The days of other domains are published one by one, because a
        # month is large.
        broken = {plan.domain: list(staged(plan)) for plan in plans if injector.concerns(plan.domain)}
        before_publishing()
        result.faults[:0] = injector.done
        for plan in sorted(plans, key=lambda plan: plan.domain not in broken):
            report = Report(plan.domain, plan.world.seed, plan.world.scale)
            result.reports.append(report)
            if plan.window is None:
                continue
            report.start, report.end = plan.window.start, plan.window.end
            rows: Counter[str] = Counter()
            for _, outbox in broken.get(plan.domain) or staged(plan):
                files = _published(outbox, asked.postgres)
                report.files += len(files)
                report.bytes += sum(file.path.stat().st_size for file in files)
                for file in files:
                    rows[file.feed] += file.rows
            report.rows = dict(rows)
            if asked.feeds:
                continue  # The other feeds of these days are not delivered yet, so the days do not count as delivered.
            fresh = memory.Remembered(plan.world.seed, plan.world.scale, plan.window.start, plan.window.end)
            remembered[plan.domain] = (
                plan.known.extended(plan.world, plan.window.start, plan.window.end) if plan.known else fresh
            )
            memory.remember(settings.home, remembered)


def _staged(
    settings: Settings, catalog: Catalog, now: datetime, plan: Plan, *, asked: Asked, injector: Injector
) -> Iterator[tuple[date, Outbox]]:
    assert plan.window is not None
    return sources.stage(
        plan.domain,
        plan.world,
        plan.window,
        inbound=settings.inbound,
        zone=catalog.platform.zone,
        now=now,
        initial_on=plan.window.start if plan.known is None or plan.window.start <= plan.known.since else None,
        record=partial(own_files.record, settings.home),
        only=frozenset(asked.feeds),
        put_in=partial(_put_in, injector, plan.world, again=_again(catalog, plan.known, injector)),
    )


def _published(outbox: Outbox, postgres: str | None) -> list[Staged]:
    """Publish the files of a day.

    `postgres`: URL of a database that gets the transactions in place of inbound.
    """
    moved = [file for file in outbox.staged if postgres and file.feed == "transactions"]
    if postgres and moved:
        from ops_project.simulator.investor_postgres import fill

        fill(postgres, [file.path for file in moved])
        outbox.staged = [file for file in outbox.staged if file not in moved]
    return outbox.publish()


@dataclass(frozen=True)
class Again:
    """Days that were delivered before. If they are simulated again, this is only because a fault needs its day."""

    catalog: Catalog
    since: date
    until: date

    def __contains__(self, day: date) -> bool:
        return self.since <= day <= self.until


def _again(catalog: Catalog, known: memory.Remembered | None, injector: Injector) -> Again | None:
    """The days that were delivered before; None if there are none, or if the request has no fault. Of such a day, only
    the files that a fault changes are delivered again.
    """
    if known is None or not injector.faults:
        return None
    return Again(catalog, known.since, known.until)


def _put_in(injector: Injector, world: World, outbox: Outbox, day: date, *, again: Again | None) -> None:
    """Put the faults of a day into its files.

    `again`: the days that were delivered before. Of such a day, only the files that a fault changes are kept.
    """
    delivered = again.catalog if again is not None and day in again else None
    if delivered is not None and not injector.strikes(outbox.domain, day):
        outbox.discard()  # The domain has no fault on this day, so all files would be delivered a second time.
        return
    before = {file.name: file.path.read_bytes() for file in outbox.staged} if delivered is not None else {}
    waiting = {name for name in before if (outbox.folder / name).exists()}
    injector.put_in(outbox, day, world)
    if delivered is not None:
        _keep_what_broke(outbox, before, delivered, day, withdrawn=bool(waiting & outbox.withdrawn))


def _keep_what_broke(outbox: Outbox, before: dict[str, bytes], catalog: Catalog, day: date, *, withdrawn: bool) -> None:
    """Leave out the feeds that no fault changed. Their files would be duplicate deliveries, which would hide the fault.

    Raises SimulationError if the fault has no effect. A fault has no effect if each data file equals the delivered one
    and no waiting file was withdrawn. For example, a file that has landed can no longer be missing or late.
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
