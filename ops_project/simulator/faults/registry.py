"""Lists all faults by their ids, and finds the fault that a request names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from ops_project.catalog import Catalog
from ops_project.model.feed.feed import Feed
from ops_project.nearest import did_you_mean
from ops_project.simulator.faults import (
    columns,
    files,
    insurance,
    investor,
    marketing,
    models,
    rows,
    streaming,
    volumes,
)
from ops_project.simulator.faults.fault import Fault
from ops_project.simulator.faults.request import FaultError, Request

MODULES = (files, columns, rows, volumes, marketing, investor, streaming, insurance, models)
REGISTRY: dict[str, Fault] = {fault.id: fault for module in MODULES for fault in module.FAULTS}


@dataclass(frozen=True)
class Resolved:
    """A request, its fault, and the feed that is damaged."""

    request: Request
    fault: Fault
    feed: Feed

    @property
    def domain(self) -> str:
        return self.feed.domain

    @property
    def day(self) -> date | None:
        return self.request.day

    @property
    def asset(self) -> str:
        return self.fault.asset_of(self.feed.name)


def resolve(request: Request, catalog: Catalog) -> Resolved:
    """The fault and the feed of a request. Raises FaultError, whose message lists the valid names."""
    fault = REGISTRY.get(request.id)
    if fault is None:
        hint = did_you_mean(request.id, REGISTRY)
        raise FaultError(f"fault {request.id!r} does not exist{hint}; valid: {', '.join(sorted(REGISTRY))}")
    if request.feed is not None and request.feed != fault.feed and not fault.any_feed:
        raise FaultError(f"fault {fault.id!r} breaks feed {fault.feed!r} only, not {request.feed!r}")
    name = request.feed or fault.feed
    if name not in catalog.feeds:
        raise FaultError(f"feed {name!r} does not exist; valid: {', '.join(catalog.feeds)}")
    return Resolved(request, fault, catalog.feeds[name])


def owners_of(feed: Feed, catalog: Catalog) -> list[str]:
    """The owners who must get the message: those of the feed, or else those of the domain."""
    return list(feed.owners or catalog.domain(feed.domain).owners)


def listing(catalog: Catalog) -> list[dict[str, Any]]:
    """The faults as rows for `ops simulate --list-faults`."""
    result: list[dict[str, Any]] = []
    for fault in REGISTRY.values():
        feed = catalog.feeds.get(fault.feed)
        result.append(
            {
                "id": fault.id,
                "domain": feed.domain if feed else None,
                "feed": fault.feed,
                "any_feed": fault.any_feed,
                "origin": fault.origin,
                "does": fault.title,
                "apply": fault.apply,
                "finding": fault.finding,
                "asset": fault.asset_of(fault.feed),
                "owners": owners_of(feed, catalog) if feed else [],
            }
        )
    return result
