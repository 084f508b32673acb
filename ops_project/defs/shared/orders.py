"""A person's orders for a run besides its business dates, and the tags of the run that carry these orders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as calendar_date

from ops_project.pipeline.landing import ReplayOrder, Taken

REPLAY = "ops/replay"
REBUILD = "ops/rebuild_tables"


@dataclass(frozen=True)
class Order:
    """What the person asks to run: all waiting files, the last `days` business dates, or exactly one date."""

    days: int | None = None
    date: calendar_date | None = None
    replays: tuple[ReplayOrder, ...] = ()
    """Archived files to read again, besides the waiting ones; one order for each feed."""
    rebuild_tables: tuple[str, ...] = ()
    """Names of models to build from nothing. A model that every run builds as a whole may be named too. Then the run
    happens although no file has come.
    """

    @property
    def is_plain(self) -> bool:
        """Whether nothing is ordered except to land the waiting files."""
        return self == Order()

    def within(self, first: calendar_date, last: calendar_date, chosen: Mapping[str, Sequence[Taken]]) -> Order:
        """The part of this order that concerns the business dates from `first` to `last`.

        `chosen`: feed → the batches that its order means.
        """
        here = []
        for replay in self.replays:
            batches = [batch for batch in chosen.get(replay.feed, ()) if first <= batch.business_date <= last]
            if replay.batches:
                here.append(replace(replay, batches=tuple(batch.batch_id for batch in batches)))
            else:
                here.append(replace(replay, dates=tuple(sorted({batch.business_date for batch in batches}))))
        return replace(self, replays=tuple(replay for replay in here if replay.batches or replay.dates))

    def tags(self) -> dict[str, str]:
        """The tags that carry this order."""
        found = {}
        if self.replays:
            found[REPLAY] = json.dumps(
                [
                    {
                        "feed": replay.feed,
                        "dates": [day.isoformat() for day in replay.dates],
                        "batches": list(replay.batches),
                        "refused": replay.refused,
                    }
                    for replay in self.replays
                ]
            )
        if self.rebuild_tables:
            found[REBUILD] = ",".join(self.rebuild_tables)
        return found


def replays_of(tags: Mapping[str, str]) -> tuple[ReplayOrder, ...]:
    """The archived files that a run's tags order."""
    if REPLAY not in tags:
        return ()
    said = json.loads(tags[REPLAY])
    return tuple(
        ReplayOrder(
            item["feed"],
            tuple(map(calendar_date.fromisoformat, item["dates"])),
            tuple(item["batches"]),
            item.get("refused", False),
        )
        for item in (said if isinstance(said, list) else [said])
    )


def rebuild_of(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The models that a run's tags order to build from nothing."""
    return tuple(name for name in tags.get(REBUILD, "").split(",") if name)
