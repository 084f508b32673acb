"""What a small file costs besides its rows: counted in statements, so that no other load on the machine matters."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEAD = "id,name,amount,sold_at\n"
FEED = feed_of(TAKINGS)
# Each costs 0.5 to 4 ms; a third more of them were asked of the journal alone before it was kept in memory.
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
    assert home.connection.seen["COMMIT"] == 3 + 1  # and one for what is waiting
