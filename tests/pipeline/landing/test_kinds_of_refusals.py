"""Refused rows are counted by the kind of their reason: twelve wrong values of one column give one line and not
twelve.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_project.pipeline.landing import ensure_tables
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

KINDS = "SELECT column_name, kind, count(*) FROM ops.quarantine GROUP BY ALL ORDER BY 3 DESC, 2"
FILE = "takings_2026-11-19.csv"


def _file(*rows: str) -> str:
    return "\n".join(["id,name,amount,sold_at", *rows, ""])


def test_values_are_no_kinds(tmp_path: Path) -> None:
    home = Home(tmp_path, feed_of(TAKINGS))
    good = [f"{n},a,1.00,2026-11-19 10:00:00" for n in range(100, 300)]
    amounts = [f"{n},a,x{n},2026-11-19 10:00:00" for n in range(12)]
    short = ["20,a", "21,a", "22,a,1.00"]
    home.put(FILE, _file(*good, *amounts, *short))
    home.land()
    found = home.rows(KINDS)
    assert [(row[0], row[2]) for row in found] == [("amount", 12), (None, 3)]
    assert all("x" + str(n) not in row[1] for row in found for n in range(12))


@pytest.mark.parametrize("keys", ["later", "all"])
def test_repeated_keys_are_one_kind(tmp_path: Path, keys: str) -> None:
    home = Home(tmp_path, feed_of(f"{TAKINGS}    duplicate_keys: {keys}\n"))
    good = [f"{n},a,1.00,2026-11-19 10:00:00" for n in range(100, 300)]
    again = [f"{n},b,2.00,2026-11-19 11:00:00" for n in range(100, 104)]
    home.put(FILE, _file(*good, *again))
    home.land()
    [(column, kind, count)] = home.rows(KINDS)
    assert column == "id" and "another line" in kind and count == (4 if keys == "later" else 8)


def test_a_refused_file_is_a_kind_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put(FILE, "id,other\n1,2\n")
    home.land()
    assert home.rows(KINDS) == [(None, "the whole file: schema_mismatch", 1)]


def test_a_home_from_before_is_given_its_kinds(tmp_path: Path) -> None:
    home = Home(tmp_path, feed_of(TAKINGS))
    good = [f"{n},a,1.00,2026-11-19 10:00:00" for n in range(100, 300)]
    home.put(FILE, _file(*good, "1,a,x,2026-11-19 10:00:00", "100,b,2.00,2026-11-19 11:00:00"))
    home.land()
    now = home.rows("SELECT line, kind FROM ops.quarantine ORDER BY line")
    home.connection.execute("ALTER TABLE ops.quarantine DROP COLUMN kind")
    ensure_tables(home.connection, home.feeds)
    assert home.rows("SELECT line, kind FROM ops.quarantine ORDER BY line") == now
    assert len(now) == 2 and all(kind for _, kind in now)
