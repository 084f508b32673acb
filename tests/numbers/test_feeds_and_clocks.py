"""Feeds that never deliver, weeks in which clocks are changed, and corrections that wait together or cross a quarter's
end.

After each of these histories gold agrees with the files, and a build of everything from nothing changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ops_project import catalog
from ops_project.settings import Settings
from tests.numbers.oracle.figures import Oracle
from tests.numbers.played import HISTORIES, Played
from tests.numbers.site import Site
from tests.numbers.test_incremental_is_full import compare

# The longest of these histories are built six times, which takes a minute of processor time.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

FEEDS = [
    (domain, feed.name) for domain in HISTORIES for feed in catalog.load(Settings.load(environ={})).feeds_of(domain)
]


@dataclass(frozen=True)
class Clock:
    """A week of files, and the moment at which the first of them is landed; each later build is an hour later."""

    name: str
    last: date
    first_run: datetime

    @property
    def days(self) -> list[date]:
        return [self.last - timedelta(days=number) for number in reversed(range(7))]


CLOCKS = [
    # New York skips one of these hours, and has the other one twice.
    Clock("new-york-spring", date(2026, 3, 8), datetime(2026, 3, 8, 4, 30, tzinfo=UTC)),
    Clock("new-york-autumn", date(2026, 11, 1), datetime(2026, 11, 1, 3, 30, tzinfo=UTC)),
    # In these weeks Europe has changed its clocks and New York has not, or the other way round.
    Clock("europe-spring", date(2026, 3, 29), datetime(2026, 3, 28, 23, 30, tzinfo=UTC)),
    Clock("europe-autumn", date(2026, 10, 25), datetime(2026, 10, 24, 22, 30, tzinfo=UTC)),
    Clock("new-year", date(2026, 1, 2), datetime(2026, 1, 2, 3, 30, tzinfo=UTC)),
]


def assert_right(site: Site, oracle: Oracle) -> None:
    assert oracle.wrong() == []
    compare(Played(site, oracle))


@pytest.mark.parametrize(("domain", "feed"), FEEDS)
def test_a_feed_that_never_delivers(tmp_path: Path, domain: str, feed: str) -> None:
    site = Site(tmp_path / "home", domain, may_reject=True)
    oracle = Oracle(site)
    HISTORIES[domain](41, runs=2).history().without(feed).play(site, oracle.after_run)
    assert_right(site, oracle)


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: clock.name)
@pytest.mark.parametrize("domain", HISTORIES)
def test_a_week_in_which_clocks_are_changed(tmp_path: Path, domain: str, clock: Clock) -> None:
    site = Site(tmp_path / "home", domain, clock=clock.first_run, may_reject=True)
    oracle = Oracle(site)
    HISTORIES[domain](42, days=clock.days).history().play(site, oracle.after_run)
    assert_right(site, oracle)


@pytest.mark.parametrize("domain", HISTORIES)
def test_a_file_and_its_correction_wait_together(tmp_path: Path, domain: str) -> None:
    site = Site(tmp_path / "home", domain, may_reject=True)
    oracle = Oracle(site)
    HISTORIES[domain](43, runs=2).history().play(site, oracle.after_run, together=True)
    assert_right(site, oracle)


@pytest.mark.parametrize("domain", HISTORIES)
def test_corrections_across_the_end_of_a_quarter(tmp_path: Path, domain: str) -> None:
    days = [date(2026, 3, 26) + timedelta(days=number) for number in range(12)]
    site = Site(tmp_path / "home", domain, clock=datetime(2026, 4, 7, 12, tzinfo=UTC), may_reject=True)
    oracle = Oracle(site)
    HISTORIES[domain](44, runs=5, days=days).history().play(site, oracle.after_run)
    assert_right(site, oracle)
