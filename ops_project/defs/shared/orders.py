"""What somebody orders of a run beyond its business dates, and how the run's tags say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date as calendar_date

from ops_project.pipeline.landing import ReplayOrder

REPLAY = "ops/replay"
REBUILD = "ops/rebuild_tables"


@dataclass(frozen=True)
class Order:
    """What is to be run: whatever has arrived, the last `days` business dates, or exactly one date."""

    days: int | None = None
    date: calendar_date | None = None
    replay: ReplayOrder | None = None
    """Archived files to read again, besides whatever has arrived."""
    rebuild_tables: tuple[str, ...] = ()
    """Names of incremental models to build from nothing."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is ordered but what has arrived."""
        return self == Order()

    def within(self, first: calendar_date, last: calendar_date, dates: tuple[calendar_date, ...]) -> Order:
        """The part of this order that concerns the business dates from `first` to `last`, of the replayed `dates`."""
        if self.replay is None or self.replay.batches:
            return self
        here = tuple(day for day in dates if first <= day <= last)
        return replace(self, replay=replace(self.replay, dates=here))

    def tags(self) -> dict[str, str]:
        """The tags that say it."""
        found = {}
        if self.replay is not None:
            found[REPLAY] = json.dumps(
                {
                    "feed": self.replay.feed,
                    "dates": [day.isoformat() for day in self.replay.dates],
                    "batches": list(self.replay.batches),
                }
            )
        if self.rebuild_tables:
            found[REBUILD] = ",".join(self.rebuild_tables)
        return found


def replay_of(tags: Mapping[str, str]) -> ReplayOrder | None:
    """The archived files that a run's tags order."""
    if REPLAY not in tags:
        return None
    said = json.loads(tags[REPLAY])
    return ReplayOrder(said["feed"], tuple(map(calendar_date.fromisoformat, said["dates"])), tuple(said["batches"]))


def rebuild_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The models that a run's tags order to build from nothing."""
    return tuple(name for name in tags.get(REBUILD, "").split(",") if name)
