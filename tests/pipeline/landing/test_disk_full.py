"""The disk is full at each place where landing writes: the file waits, this is reported, and the next run loads it
once.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ops_project.failures import Unusable
from ops_project.pipeline import landing
from ops_project.pipeline.landing.result import LandingResult
from tests.pipeline.landing.home import NOW, TAKINGS, feed_of
from tests.small_disk import fill, free, small_disk

FEED = feed_of(TAKINGS)
SIZE = 24 * 1024 * 1024
BIG, SMALL = "takings_2026-11-02.csv", "takings_2026-11-03.csv"
ROWS = {date(2026, 11, 1): 10, date(2026, 11, 2): 20_000, date(2026, 11, 3): 5}
HOME = "the whole home"


def content(rows: int) -> str:
    return "id,name,amount,sold_at\n" + "".join(
        f"{n},a{n * 7919},{n % 90}.10,2026-11-01 10:00:00\n" for n in range(rows)
    )


class Full:
    """A home with one part of it on a disk that can be filled. The first file is landed, two others wait."""

    def __init__(self, home: Path, part: str, disk: Path) -> None:
        self.home, self.part, self.disk = home, part, disk
        self.inbound, self.archive = home / "inbound", home / "archive"
        self.database = home / "warehouse" / "warehouse.duckdb"
        for folder in (self.inbound / "shop", self.archive, self.database.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.connection = duckdb.connect(str(self.database))
        landing.ensure_tables(self.connection, [FEED])
        self.put(1)
        assert self.land().batches
        self.put(2)
        self.put(3)

    def put(self, day: int) -> None:
        path = self.inbound / "shop" / f"takings_2026-11-{day:02}.csv"
        path.write_text(content(ROWS[date(2026, 11, day)]))

    def land(self) -> LandingResult:
        return landing.land(self.connection, FEED, inbound=self.inbound, archive=self.archive, now=NOW)

    def again(self) -> LandingResult:
        """The result of the next run, when there is room."""
        free(self.disk)
        self.connection.close()
        self.connection = duckdb.connect(str(self.database))
        return self.land()

    def loaded(self) -> dict[date, int]:
        return dict(self.connection.execute("SELECT business_date, count(*) FROM bronze.takings GROUP BY 1").fetchall())

    def holds_everything_once(self) -> None:
        assert self.loaded() == ROWS
        kept = sorted(path.name.partition("_")[2] for path in self.archive.rglob("*") if path.is_file())
        assert [name for name in kept if name] == ["takings_2026-11-01.csv", BIG, SMALL]
        assert not list((self.inbound / "shop").iterdir())
        assert [path.name for path in self.database.parent.iterdir() if path.name.startswith("landing-")] == []
        [open_ones] = self.connection.execute("SELECT count(*) FROM ops.findings WHERE state = 'open'").fetchall()
        assert open_ones == (0,)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Callable[[str], Full]]:
    made: list[Full] = []
    home = tmp_path / "home"

    def make(part: str) -> Full:
        made.append(Full(home, part, home if part == HOME else home / part))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


@pytest.mark.parametrize(
    ("part", "leave"),
    [
        (HOME, 200_000),  # there is no space for the rows
        ("warehouse", 300_000),  # there is no space for the private copy of the file
    ],
)
def test_a_file_that_does_not_fit_waits_and_is_told(
    part: str, leave: int, tmp_path: Path, full: Callable[[str], Full]
) -> None:
    with small_disk(tmp_path / "home" / ("" if part == HOME else part), SIZE) as disk:
        home = full(part)
        fill(disk, leave)
        result = home.land()
        assert [(finding.kind, finding.file_name) for finding in result.findings] == [("storage_full", BIG)]
        assert "No space left on device" in result.findings[0].message
        assert [batch.file_name for batch in result.batches] == [SMALL], "what fits is loaded"
        assert home.loaded() == {day: rows for day, rows in ROWS.items() if day.day != 2}
        assert (home.inbound / "shop" / BIG).exists()
        assert home.again().resolved == 1
        home.holds_everything_once()
        home.connection.close()


def test_where_not_even_the_finding_fits_the_run_ends_with_the_reason(
    tmp_path: Path, full: Callable[[str], Full]
) -> None:
    with small_disk(tmp_path / "home", SIZE) as disk:
        home = full(HOME)
        fill(disk)
        with pytest.raises(Unusable, match=r"csv could not be landed.*No space left.*Free space"):
            home.land()
        assert home.loaded() == {date(2026, 11, 1): 10}
        home.again()
        home.holds_everything_once()
        home.connection.close()


def test_an_archive_that_is_full_gets_the_file_with_the_next_run(tmp_path: Path, full: Callable[[str], Full]) -> None:
    with small_disk(tmp_path / "home" / "archive", SIZE) as disk:
        home = full("archive")
        fill(disk, leave=100_000)
        result = home.land()
        assert [(finding.kind, finding.file_name) for finding in result.findings] == [("storage_full", BIG)]
        assert home.loaded() == ROWS, "the rows were committed before the file was kept"
        assert (home.inbound / "shop" / BIG).exists(), "until it is kept it stays where it came"
        assert not list(home.archive.rglob("*.partial")), "half a copy would take the room that is missing"
        again = home.again()
        assert len(again.recovered) == 1 and BIG in again.recovered[0]
        home.holds_everything_once()
        home.connection.close()


def test_text_that_is_unpacked_leaves_room_for_the_warehouse(tmp_path: Path, full: Callable[[str], Full]) -> None:
    with small_disk(tmp_path / "home" / "warehouse", SIZE) as disk:
        home = full("warehouse")
        (home.inbound / "shop" / BIG).unlink()
        (home.inbound / "shop" / BIG).write_bytes(gzip.compress(content(ROWS[date(2026, 11, 2)]).encode()))
        fill(disk, leave=1_000_000)
        result = home.land()
        assert [(finding.kind, finding.file_name) for finding in result.findings] == [("storage_full", BIG)]
        assert "are kept free" in result.findings[0].message
        home.connection.close()
