"""What a small file costs besides its rows: counted in statements, so that no other load on the machine matters."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
FEED = feed_of(TAKINGS)
# Each statement takes 0.5 to 4 ms. Before the journal was kept in memory, a third more statements were needed for it
# alone.
MOST_STATEMENTS = 9


class Counting:
    """A connection that counts the statements of a file."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.seen = connection, Counter[str]()

    def execute(self, sql: str, *given: Any) -> Any:
        self.seen[" ".join(sql.split())[:60]] += 1
        return self.connection.execute(sql, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def statements(home: Home, files: int, first: date) -> int:
    for number in range(files):
        home.put(f"takings_{first + timedelta(days=number)}.csv", HEAD + f"{number},{first},1.50,\n")
    home.connection = Counting(home.connection)
    assert home.land().files == {"loaded": files}
    count, home.connection = home.connection.seen.total(), home.connection.connection
    return count


def test_a_small_file_costs_few_statements_however_many_there_are(tmp_path):
    home = Home(tmp_path, FEED)
    few, many = statements(home, 5, date(2026, 1, 1)), statements(home, 45, date(2026, 2, 1))
    assert (many - few) / 40 <= MOST_STATEMENTS


def test_each_is_a_transaction_of_its_own(tmp_path):
    home = Home(tmp_path, FEED)
    for day in (1, 2, 3):
        home.put(f"takings_2026-11-0{day}.csv", HEAD + f"{day},a,1.00,\n")
    home.connection = Counting(home.connection)
    home.land()
    assert home.connection.seen["COMMIT"] == 3  # and none for waiting files, because there are none


def test_a_call_without_files_writes_nothing_and_asks_little(tmp_path):
    """Every run lands every feed, and few of them have a new file."""
    home = Home(tmp_path, FEED)
    home.put("takings_2026-11-19.csv", HEAD + "1,a,1.00,\n")
    home.land()
    home.connection = Counting(home.connection)
    home.land()
    words = {sql.split()[0] for sql in home.connection.seen}
    assert words <= {"SELECT", "DESCRIBE", "SET"}
    assert home.connection.seen.total() <= 12


SPELLINGS = """
    inbound: "takings_{date:%Y-%m-%d}{revision}.csv"
    key: id
    drift: {share: 0.999}
    columns:
      id: {type: integer, required: true}
      amount: {type: "decimal(10,2)", min: 0}
      whole: bigint
      share: double
      day: date
      at: timestamp
      local: {type: timestamp, timezone: Europe/Oslo}
      open: time
      is_new: boolean
"""
HEADER = "id,amount,whole,share,day,at,local,open,is_new\n"
ROWS = {
    "as the engine writes": "1,1.50,7,0.5,2026-11-01,2026-11-01 10:00:00,2026-11-01 10:00:00,10:00:00,true\n",
    "otherwise": "2,1.5,007,5e-1,2026-11-01 ,2026-11-01T10:00Z,2026-11-01 10:00,10:00,yes\n",
    "empty": "3,,,,,,,,\n",
    "bad": "4,1.555,7.5,x,infinity,2026-13-01 10:00:00,2026-03-29 02:30:00,25:00,maybe\n",
    "below a bound": "5,-1.00,7,0.5,2026-11-01,2026-11-01 10:00:00,2026-11-01 10:00:00,10:00:00,true\n",
    "repeated": "1,2.50,7,0.5,2026-11-01,2026-11-01 10:00:00,2026-11-01 10:00:00,10:00:00,true\n",
}


@pytest.mark.parametrize("left_out", [[], ["bad", "below a bound"], ["bad", "below a bound", "repeated", "otherwise"]])
def test_a_small_file_is_read_as_a_large_one_is(tmp_path, monkeypatch, left_out):
    text = HEADER + "".join(row for name, row in ROWS.items() if name not in left_out)
    found = []
    for name, limit in (("small", 100_000), ("large", 0)):
        monkeypatch.setattr("ops_project.pipeline.landing.examine.examine.SMALL", limit)
        home = Home(tmp_path / name, feed_of(SPELLINGS))
        home.put("takings_2026-11-01.csv", text)
        home.land()
        refused = home.rows("SELECT line, column_name, reason FROM ops.quarantine ORDER BY ALL")
        found.append((home.bronze("* EXCLUDE (_batch_id, ingestion_timestamp)"), refused))
    assert found[0] == found[1]
    assert len(found[0][0]) + len(found[0][1]) >= len(ROWS) - len(left_out)
