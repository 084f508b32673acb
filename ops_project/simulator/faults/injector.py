"""Puts faults into a simulated day before it is published, or into files that are already in the inbound folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import holidays

from ops_project.catalog import Catalog
from ops_project.model.feed.feed import Feed
from ops_project.settings import Settings
from ops_project.simulator.faults import truth
from ops_project.simulator.faults.fault import Details
from ops_project.simulator.faults.registry import Resolved, owners_of
from ops_project.simulator.faults.request import FaultError
from ops_project.simulator.faults.scene import Scene, control_name
from ops_project.simulator.outbox import Outbox, Staged
from ops_project.simulator.world import World

SOURCES_COUNTRY = "US"


class Injector:
    """The faults in files that one call requests. `done` is written to truth.json."""

    def __init__(self, catalog: Catalog, faults: Sequence[Resolved], now: datetime) -> None:
        self.catalog = catalog
        self.faults = [fault for fault in faults if fault.fault.apply == "file"]
        self.now = now
        self.done: list[dict[str, Any]] = []
        self._days: dict[int, set[date]] = {}
        self._last: dict[int, date] = {}
        self._memory: dict[int, dict[str, Any]] = {}

    def concerns(self, domain: str) -> bool:
        """Whether one of the faults is about this domain."""
        return any(fault.domain == domain for fault in self.faults)

    def expect(self, domain: str, start: date, end: date) -> None:
        """Determine the day of each of the domain's faults. Raises FaultError if a day is outside of the window."""
        for number, fault in enumerate(self.faults):
            if fault.domain != domain:
                continue
            day = fault.day or _default_day(fault, start, end)
            if not start <= day <= end:
                raise FaultError(f"fault {fault.request}: {day} is not simulated in this call ({start} to {end})")
            span = (day - start).days + 1 if fault.fault.spans_window else 1
            self._days[number] = {day - timedelta(days=back) for back in range(span)}
            self._last[number] = day

    def strikes(self, domain: str, day: date) -> bool:
        """Whether the day is a day of one of this domain's faults. Call `expect` first."""
        return any(
            fault.domain == domain and day in self._days.get(number, ()) for number, fault in enumerate(self.faults)
        )

    def put_in(self, outbox: Outbox, day: date, world: World) -> None:
        """Put every fault of the day into the staged files of the day."""
        for number, fault in enumerate(self.faults):
            if fault.domain == outbox.domain and day in self._days.get(number, ()):
                scene = self._scene(fault, number, outbox.staged, day=day, world=world, last=day == self._last[number])
                self._act(fault, scene)
                # An earlier delivery of this day may still be in the inbound folder.
                outbox.withdrawn.update(scene.removed)

    def break_inbound(self, inbound: Path) -> None:
        """Put faults into files that are already in the inbound folder, simulated or not.

        A fault with a date changes the files of this date. A fault without a date changes the newest files of its feed,
        or those `days_back` dates before.
        """
        for number, fault in enumerate(self.faults):
            folder = inbound / fault.domain
            mine = [file for file in _lying_in(folder, fault.feed) if fault.feed.match(file.name) is not None]
            days = sorted({file.business_date for file in mine})
            if not days:
                raise FaultError(
                    f"fault {fault.request}: no file of feed {fault.feed.name!r} lies in inbound/{fault.domain}"
                )
            day = fault.day or days[max(0, len(days) - 1 - fault.fault.days_back)]
            if day not in days:
                raise FaultError(
                    f"fault {fault.request}: no file of {day} lies in inbound/{fault.domain}; "
                    f"there are {days[0]} to {days[-1]}"
                )
            chosen = [other for other in days if other <= day] if fault.fault.spans_window else [day]
            for each in chosen:
                files = [
                    file
                    for feed in self.catalog.feeds_of(fault.domain)
                    for file in _lying_in(folder, feed)
                    if file.business_date == each
                ]
                self._act(fault, self._scene(fault, number, files, day=each, world=None, last=each == day))

    def _scene(
        self, fault: Resolved, number: int, files: list[Staged], *, day: date, world: World | None, last: bool
    ) -> Scene:
        seeded = (world or World()).rng("fault", fault.fault.id, fault.feed.name, day)
        memory = self._memory.setdefault(number, {})
        return Scene(
            feed=fault.feed,
            day=day,
            files=files,
            rng=seeded,
            catalog=self.catalog,
            world=world,
            last_day=last,
            memory=memory,
        )

    def _act(self, fault: Resolved, scene: Scene) -> None:
        assert fault.fault.act is not None
        try:
            details = fault.fault.act(scene)
        except FaultError as error:
            raise FaultError(f"fault {fault.request}: {error}") from None
        except ValueError as error:
            raise FaultError(f"fault {fault.request}: the file cannot be read by its contract: {error}") from None
        if scene.last_day:
            self.done.append(entry(fault, self.catalog, self.now, scene.day, details))


def entry(fault: Resolved, catalog: Catalog, now: datetime, day: date | None, details: Details) -> dict[str, Any]:
    """One line of truth.json."""
    return {
        "fault": fault.fault.id,
        "request": str(fault.request),
        "domain": fault.domain,
        "feed": fault.feed.name,
        "business_date": day,
        "does": fault.fault.title,
        "origin": fault.fault.origin,
        "finding": fault.fault.finding,
        "asset": fault.asset,
        "owners": owners_of(fault.feed, catalog),
        "injected_at": now,
        "details": details,
    }


def write_down(settings: Settings, done: list[dict[str, Any]]) -> None:
    """Append to this home's truth.json."""
    truth.append(settings.truth, done)


def _default_day(fault: Resolved, start: date, end: date) -> date:
    if not fault.fault.on_holiday:
        return max(start, end - timedelta(days=fault.fault.days_back))
    known = holidays.country_holidays(SOURCES_COUNTRY, years=range(start.year, end.year + 1))
    inside = [day for day in known if start <= day <= end]
    if not inside:
        raise FaultError(
            f"fault {fault.request}: no public holiday ({SOURCES_COUNTRY}) from {start} to {end}; simulate more days"
        )
    return max(inside)


def _lying_in(folder: Path, feed: Feed) -> list[Staged]:
    """The feed's data and control files in a folder. The business date is taken from the name of the data file. If the
    name has no date, the business date is the day of arrival in UTC.
    """
    found: list[Staged] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        named = feed.match(path.name) if path.is_file() else None
        if named is None:
            continue
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        data = Staged(feed.name, named.date or arrived.date(), path, arrived)
        found.append(data)
        beside = path.with_name(control_name(feed.control.file, path.name)) if feed.control else None
        if beside is not None and beside.is_file():
            found.append(Staged(feed.name, data.business_date, beside, arrived))
    return found
