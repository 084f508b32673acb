"""Small files that unpack to large ones are refused at the limits of the contract, and are unpacked no further."""

from __future__ import annotations

import gzip
import importlib
from collections import namedtuple

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
ROW = "1,a,1.00,\n"
MEGA = 1024 * 1024


def limited(**limits: int) -> str:
    listed = ", ".join(f"{name}: {value}" for name, value in limits.items())
    return f"    format: {{{listed}}}\n" + TAKINGS.lstrip("\n")


def bomb(content: bytes, times: int) -> bytes:
    """`times` gzip members of `content`, which one reader unpacks one after the other."""
    return gzip.compress(HEAD.encode()) + gzip.compress(content) * times


@pytest.fixture
def spooled(monkeypatch):
    """The most bytes that were ever written beside the warehouse."""
    scan = importlib.import_module("ops_project.pipeline.landing.read.scan")
    most, real = [0], scan._check_room

    def watched(spool, needed, written):
        most[0] = max(most[0], spool.stat().st_size)
        real(spool, needed, written)

    monkeypatch.setattr(scan, "_check_room", watched)
    return most


def test_a_file_that_unpacks_to_a_thousand_times_its_size_is_refused_at_once(tmp_path, spooled):
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put("takings_2026-11-01.csv.gz", bomb(ROW.encode() * (MEGA // 2), 400))
    [batch] = home.land().batches
    assert (batch.status, batch.finding) == ("rejected", "data_invalid")
    assert "the contract's max_ratio" in batch.message
    assert spooled[0] <= 72 * MEGA, "of 2 GB"


def test_a_line_that_does_not_end_stops_the_unpacking(tmp_path, spooled):
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put("takings_2026-11-01.csv.gz", bomb(b"x" * 8 * MEGA, 100))
    [batch] = home.land().batches
    assert batch.status == "rejected" and "longer than" in batch.message
    assert spooled[0] <= 24 * MEGA, "of 800 MB"


def test_bytes_that_are_no_text_stop_the_unpacking(tmp_path, spooled):
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put("takings_2026-11-01.csv.gz", bomb(b"\xff\xfe" + ROW.encode() * MEGA, 40))
    assert home.land().batches[0].finding == "data_invalid"
    assert spooled[0] <= 8 * MEGA


def test_the_contract_sets_the_limits(tmp_path):
    for limits, words in (({"max_unpacked_bytes": 2048}, "max_unpacked_bytes"), ({"max_columns": 3}, "max_columns")):
        home = Home(tmp_path / words, feed_of(limited(**limits)))
        home.put("takings_2026-11-01.csv.gz", gzip.compress((HEAD + ROW * 500).encode()))
        [batch] = home.land().batches
        assert batch.status == "rejected" and f"the contract's {words}" in batch.message


def test_a_file_that_repeats_itself_a_little_is_fine(tmp_path):
    home = Home(tmp_path, feed_of(TAKINGS.replace("    key: id\n", "")))
    home.put("takings_2026-11-01.csv.gz", gzip.compress((HEAD + ROW * 100_000).encode()))
    assert home.land().batches[0].rows_loaded == 100_000


@pytest.mark.parametrize("free", [10 * MEGA, 140 * MEGA])
def test_unpacking_leaves_room_on_the_disk(tmp_path, monkeypatch, free):
    """The room is checked before and during unpacking. The file stays inbound and lands when there is room."""
    scan = importlib.import_module("ops_project.pipeline.landing.read.scan")
    left, usage = [free], namedtuple("usage", "free")

    def shrinking(_folder):
        left[0] -= 4 * MEGA
        return usage(left[0])

    home = Home(tmp_path, feed_of(TAKINGS.replace("    key: id\n", "")))
    home.put("takings_2026-11-01.csv.gz", gzip.compress((HEAD + ROW * 4_000_000).encode(), 1))
    with monkeypatch.context() as patched:
        patched.setattr(scan.shutil, "disk_usage", shrinking)
        [finding] = home.land().findings
    assert finding.kind == "storage_full" and home.left() == ["takings_2026-11-01.csv.gz"]
    assert list((tmp_path / "warehouse").iterdir()) == []
