"""A file that claims hundreds of gigabytes but stores none of them is reported, and not read."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path

import pytest

from ops_project.pipeline.landing import pending
from ops_project.pipeline.landing.hollow import is_hollow
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

FEED = feed_of(TAKINGS)
HEAD = "id,name,amount,sold_at\n"
NAME, NEXT = "takings_2026-11-01.csv", "takings_2026-11-02.csv"
HUGE = 200 * 2**30


def _decides(path: Path) -> bool:
    status = path.stat()
    return is_hollow(path, status.st_size, status.st_blocks)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    try:
        with (tmp_path / "probe").open("wb") as file:
            file.truncate(HUGE)
    except OSError:
        pytest.skip("this file system takes no file of this size")
    if (tmp_path / "probe").stat().st_blocks * 512 > 2**20:
        pytest.skip("this file system knows no holes")
    return Home(tmp_path, FEED)


@pytest.mark.parametrize("begins", ["", HEAD + "1,a,1.00,\n", HEAD + '1,"'], ids=["nothing", "a record", "a quote"])
def test_a_file_of_holes_blocks_nobody(home: Home, begins: str) -> None:
    home.put(NAME, begins)
    os.truncate(home.inbound / "shop" / NAME, HUGE)
    home.put(NEXT, HEAD + "2,b,2.00,\n")
    began = time.process_time()
    result = home.land()
    assert time.process_time() - began < 5, "to read it would take minutes"
    assert [batch.file_name for batch in result.batches] == [NEXT]
    [finding] = result.findings
    assert finding.file_name == NAME and f"{HUGE:,} bytes" in finding.message and "holes" in finding.message
    assert home.left() == [NAME] and pending(FEED, home.inbound) == []


def test_it_is_also_seen_where_it_takes_the_place_of_a_listed_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    workbench = importlib.import_module("ops_project.pipeline.landing.workbench")
    home.put(NAME, HEAD + "1,a,1.00,\n")
    real = workbench.private_name

    def exchanged(path: Path, *rest: object) -> Path:
        os.truncate(path, HUGE)
        return real(path, *rest)  # type: ignore[arg-type]  # it only passes on what it gets

    monkeypatch.setattr(workbench, "private_name", exchanged)
    assert home.land().batches == [] and home.bronze() == []


def test_a_whole_file_and_a_small_one_with_holes_are_files(home: Home, tmp_path: Path) -> None:
    whole, small, half = (tmp_path / name for name in ("whole", "small", "half"))
    whole.write_bytes(b"x" * 1_000_000)
    small.write_bytes(b"x")
    os.truncate(small, 10_000_000)
    half.write_bytes(b"x" * 2_000_000)
    os.truncate(half, 100_000_000)
    assert not any(_decides(path) for path in (whole, small, half))


def test_a_file_system_that_counts_no_blocks_does_not_decide_alone(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_bytes(b"x" * 65 * 2**20)
    assert not is_hollow(path, path.stat().st_size, blocks=0)
