"""The disk is full while a run closes: readers and consumers keep their files, and no half-written file occupies space."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ops_project.failures import classify
from ops_project.model.platform import Platform
from ops_project.pipeline.warehouse import closings, publishing, snapshots
from ops_project.pipeline.warehouse.closings import Closing
from ops_project.pipeline.warehouse.connection import Warehouse, writer
from ops_project.pipeline.warehouse.publishing import PublishDecision
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.small_disk import fill, free, small_disk

SIZE = 32 * 1024 * 1024
STAMP = {"as_of": NOW, "commit": "c0ffee"}
GOOD = {"sales": PublishDecision(passed=True, reason="")}


@pytest.fixture
def disk(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Path]:
    """The part of the home that the test names, on a disk of its own."""
    with small_disk(settings.home / request.param, SIZE) as found:
        yield found


@pytest.fixture
def closed_once(disk: Path, settings: Settings, platform: Platform) -> Iterator[Warehouse]:
    """A warehouse whose first run closed well, and whose second run has built more."""
    with writer(settings, platform, owner="test", now=NOW) as warehouse:
        connection = warehouse.connection()
        connection.execute("CREATE SCHEMA gold; CREATE TABLE gold.sales AS SELECT range AS id FROM range(10)")
        close(warehouse, "run-1")
        connection.execute("INSERT INTO gold.sales SELECT (hash(range) >> 1)::BIGINT FROM range(200_000)")
        yield warehouse


def close(warehouse: Warehouse, run_id: str) -> None:
    taken = snapshots.take(warehouse, run_id=run_id, **STAMP)
    publishing.publish(warehouse, domain="shop", verdicts=GOOD, fingerprints=taken.tables, run_id=run_id, **STAMP)


def seen(settings: Settings) -> tuple[int, int]:
    """Rows that a reader of the newest snapshot and a consumer of the publication see."""
    with snapshots.open(snapshots.newest(settings)) as connection:
        [(copied,)] = connection.execute("SELECT count(*) FROM gold.sales").fetchall()
    published = publishing.current(settings, "shop")
    assert published is not None
    [(rows,)] = duckdb.sql(f"SELECT count(*) FROM '{published.folder / 'sales.parquet'}'").fetchall()
    return copied, rows


def half_made(settings: Settings) -> list[str]:
    return [path.name for path in settings.home.rglob("*") if ".partial" in path.name or path.name.endswith(".tmp")]


@pytest.mark.parametrize(("disk", "copied"), [("snapshots", 10), ("published", 200_010), (".", 10)], indirect=["disk"])
def test_what_readers_have_stays_and_the_next_run_closes(disk: Path, closed_once: Warehouse, copied: int) -> None:
    settings, platform = closed_once.settings, closed_once.platform
    fill(disk, leave=100_000)
    with pytest.raises((OSError, duckdb.Error)) as raised:
        close(closed_once, "run-2")
    assert classify(raised.value).failure_class == "storage_full"
    assert seen(settings) == (copied, 10)
    assert not half_made(settings)
    free(disk)
    closed_once.close()
    with writer(settings, platform, owner="test", now=NOW) as warehouse:
        close(warehouse, "run-3")
    assert seen(settings) == (200_010, 200_010)


@pytest.mark.parametrize("disk", ["state"], indirect=True)
def test_a_note_that_does_not_fit_leaves_the_one_before(disk: Path, settings: Settings) -> None:
    begun = Closing(job="shop", run_id="run-1", domain="shop", state=closings.CLOSING, at=NOW.isoformat())
    closings.note(settings, begun)
    fill(disk)
    with pytest.raises(OSError) as raised:
        closings.note(settings, Closing("shop", "run-1", "shop", closings.CLOSED, NOW.isoformat(), error="x" * 9_000))
    assert raised.value.errno == errno.ENOSPC
    assert closings.noted(settings) == [begun]
    assert not half_made(settings)
