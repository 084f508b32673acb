"""What a person orders for a run besides its business dates. Tags of the run store the order."""

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
    """What the person asks to run: all waiting files, the last `days` business dates, or the one date `date`."""

    days: int | None = None
    date: calendar_date | None = None
    replays: tuple[ReplayOrder, ...] = ()
    """Archived files that are read again, besides the waiting files. There is one order for each feed."""
    rebuild_tables: tuple[str, ...] = ()
    """Names of models that are built from nothing. A model that every run builds as a whole may be named too. Then the
    run happens even if no file has come.
    """

    @property
    def is_plain(self) -> bool:
        """Whether the person ordered nothing except to land the waiting files."""
        return self == Order()

    def within(self, first: calendar_date, last: calendar_date, chosen: Mapping[str, Sequence[Taken]]) -> Order:
        """The part of this order that concerns the business dates from `first` to `last`.

        `chosen`: feed → the batches that the order of this feed means.
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
        """The tags that store this order."""
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
    """The orders for archived files that a run's tags store."""
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
    """The models that the order in a run's tags builds from nothing."""
    return tuple(name for name in tags.get(REBUILD, "").split(",") if name)
