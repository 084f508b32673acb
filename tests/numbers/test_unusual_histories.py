"""The second computation agrees where a feed never delivers, and over the weeks in which clocks are moved."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.mutation.worlds import Domain, Play, build_of, landed
from tests.numbers.played import HISTORIES
from tests.numbers.site import Site

# New York moves its clocks on 8 March 2026 and on 1 November 2025, Europe on 29 March and 26 October.
CLOCKS_MOVE = [date(2026, 3, 11), date(2026, 4, 1), date(2025, 11, 4), date(2025, 10, 29)]


@pytest.mark.soak
@pytest.mark.parametrize("domain", HISTORIES)
def test_every_table_is_right(tmp_path: Path, domain: str) -> None:
    first = landed(domain, Play(1), tmp_path / "built")
    plays = [Play(number, without=feed.name) for number, feed in enumerate(first.feeds, start=31)]
    plays += [Play(number, last=last) for number, last in enumerate(CLOCKS_MOVE, start=51)]
    sites: dict[Play, Site] = {play: landed(domain, play, tmp_path / str(play.seed)) for play in plays}
    names = [world.name for world in Domain(sites, build_of(first)).worlds()]
    assert len(names) == len(plays)
