"""Histories as operations disturb them: landings minutes apart and day by day, builds that never began or stopped half
way, a file that is sent twice, days that a contract closes for a while, a feed that is switched off and on again.

Afterwards gold agrees with the files, and a build of everything from nothing changes nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from ops_project.model.feed.arrival import Closed
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from tests.numbers.histories import Delivery
from tests.numbers.oracle.figures import Oracle
from tests.numbers.played import HISTORIES, Played
from tests.numbers.site import Site
from tests.numbers.test_incremental_is_full import compare

# The end of a month lies within these days.
DAYS = [date(2026, 4, 27) + timedelta(days=number) for number in range(8)]


def in_order(domain: str) -> list[str]:
    """The models of a domain, each after those that it reads."""
    nodes = {
        name: node
        for name, node in dbt_manifest.load().json["nodes"].items()
        if node["resource_type"] == "model" and domain in node["tags"]
    }
    order = TopologicalSorter(
        {name: sorted(set(node["depends_on"]["nodes"]) & set(nodes)) for name, node in nodes.items()}
    )
    return [str(nodes[name]["name"]) for name in order.static_order()]


@dataclass
class Disturbed:
    """Plays the history of a seed with the disturbances of the same seed."""

    site: Site
    seed: int
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.site.domain} {self.seed}")
        self.contracts = list(self.site.feeds)
        self.models = in_order(self.site.domain)
        self.sent: list[Delivery] = []

    def play(self) -> None:
        runs = HISTORIES[self.site.domain](self.seed, runs=4, days=DAYS).history().runs
        for number, run in enumerate(runs):
            # The run is on the evening of the last day of its files, or minutes after the one before.
            evening = max((delivery.day for delivery in run), default=DAYS[0])
            self.site.clock = max(self.site.clock, datetime(evening.year, evening.month, evening.day, 23, tzinfo=UTC))
            self.contracts_of_a_run(number)
            for delivery in run:
                self.put(delivery)
                if [other for other in run if other.place == delivery.place][-1] is not delivery:
                    self.land()
            self.land()
            self.build()
        self.site.feeds = self.contracts
        self.site.clock = max(self.site.clock, datetime(2026, 5, 20, 3, tzinfo=UTC))
        self.land()
        self.site.build()

    def contracts_of_a_run(self, number: int) -> None:
        """Sometimes a day is closed, and sometimes a feed is off, which then takes its files in a later run."""
        closed = Closed(dates=tuple(self.chance.sample(DAYS, self.chance.choice([0, 0, 2]))))
        off = {self.chance.choice(self.contracts).name} if number and self.chance.random() < 0.3 else set()
        self.site.feeds = [
            feed.model_copy(update={"closed": closed, "enabled": feed.name not in off}) for feed in self.contracts
        ]

    def put(self, delivery: Delivery) -> None:
        """The file, and sometimes an earlier one once more, which may have been corrected since."""
        self.site.put(delivery.feed, delivery.day, delivery.rows, part=delivery.part)
        self.sent.append(delivery)
        if self.chance.random() < 0.1:
            self.land()
            again = self.chance.choice(self.sent)
            self.site.put(again.feed, again.day, again.rows, part=again.part)
            self.land()

    def land(self) -> None:
        self.site.clock -= timedelta(minutes=self.chance.choice([0, 1, 20, 45, 59]))
        self.site.land()

    def build(self) -> None:
        """Build everything, build nothing, or stop the build half way."""
        how = self.chance.random()
        if how < 0.5:
            self.site.build()
        elif how < 0.8:
            self.site.build(*self.models[: self.chance.randrange(1, len(self.models))])


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("domain", HISTORIES)
def test_a_disturbed_history(tmp_path: Path, domain: str, seed: int) -> None:
    site = Site(tmp_path / "home", domain, clock=datetime(2026, 4, 27, 12, tzinfo=UTC), may_reject=True)
    Disturbed(site, seed).play()
    oracle = Oracle(site)
    # Figures that were reported to investors depend on the builds in between. The other histories test these figures.
    if domain != "investor":
        assert oracle.wrong() == [], f"{domain}, seed {seed}"
    compare(Played(site, oracle))
