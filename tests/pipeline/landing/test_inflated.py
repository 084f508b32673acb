"""A gzip file is read as Python's own reader reads it, whatever the number of its members."""

from __future__ import annotations

import gzip
import io
import random
import time
import zlib

import pytest

from ops_project.pipeline.landing.read.inflated import NotWhole, inflated
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"


def ours(data: bytes, size: int) -> bytes | None:
    try:
        return b"".join(inflated(io.BytesIO(data), size))
    except NotWhole:
        return None


def pythons(data: bytes) -> bytes | None:
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read()
    except (OSError, EOFError, zlib.error):
        return None


def arbitrary(chance: random.Random) -> bytes:
    """Members and padding; cut off, damaged or followed by other bytes now and then."""
    data = b""
    for _ in range(chance.randint(0, 5)):
        content = (
            chance.randbytes(chance.randint(0, 2_000)) if chance.random() < 0.5 else b"ab\n" * chance.randint(0, 9_000)
        )
        data += gzip.compress(content) + b"\0" * chance.choice([0, 0, 1, 8_191, 8_192, 9_000])
    if chance.random() < 0.3:
        data = data[: chance.randint(0, len(data))]
    if data and chance.random() < 0.3:
        place = chance.randrange(len(data))
        data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    return data + (chance.randbytes(3) if chance.random() < 0.2 else b"")


@pytest.mark.parametrize("seed", range(4))
def test_it_gives_what_pythons_reader_gives(seed):
    chance = random.Random(seed)
    seen = set()
    for _ in range(60):
        data = arbitrary(chance)
        expected = pythons(data)
        assert ours(data, chance.choice([1, 100, 5_000, 1_000_000])) == expected
        seen.add(expected is None)
    assert seen == {True, False}


def test_a_piece_is_never_much_larger_than_asked():
    data = gzip.compress(b"x" * 3_000_000) + gzip.compress(b"yz" * 1_000) * 50
    assert max(len(piece) for piece in inflated(io.BytesIO(data), 10_000)) <= 20_000


def test_many_members_cost_as_little_as_one_of_their_size(tmp_path):
    home = Home(tmp_path, feed_of(TAKINGS.replace(".csv", ".csv.gz")))
    lines = [HEAD, "1,a,1.00,\n", *[""] * 200_000, "2,b,2.00,\n"]
    members = {text: gzip.compress(text.encode()) for text in set(lines)}
    home.put("takings_2026-11-01.csv.gz", b"".join(members[text] for text in lines))
    started = time.process_time()
    assert home.land().files == {"loaded": 1}
    assert time.process_time() - started < 2  # with Python's reader this took 7.5 s
    assert home.bronze("name") == [("a",), ("b",)]
