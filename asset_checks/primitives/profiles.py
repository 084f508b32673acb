"""Measures the values of each delivered file, column by column, once for each batch. The results are stored in
ops.column_profiles. So the cost of a check depends on the new files, and not on the whole history. `column_values`
judges the results.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from asset_checks.primitives.sql import identifier, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation

TABLE = "ops.column_profiles"
# If a column of a file has more different values than this, it is not stored how often each occurs.
MOST_VALUES = 60
# How many files one statement measures. It holds the quantiles of all their columns in memory at the same time.
AT_ONCE = 16
# The highest number of rows that are measured in a file. Of a larger file, only every n-th row is measured. For 2
# million rows with 10 columns, this took 0.2 s.
SAMPLE = 200_000


@dataclass(frozen=True)
class Profile:
    """The measurements of one column of one batch. For a text column, `mean`, `low` and `high` are lengths in
    characters. For a column of moments, all numbers are days after the business date of the file.
    """

    batch_id: str
    business_date: date
    part: str
    load_seq: int
    column: str
    rows: int
    """The number of rows that were measured."""
    filled: int
    mean: float | None
    low: float | None
    tenth: float | None
    median: float | None
    ninetieth: float | None
    high: float | None
    counts: dict[str, int] | None
    """For a text column with few values: how often each value occurs."""

    @property
    def share(self) -> float:
        return self.filled / self.rows if self.rows else 0.0


def profiles(situation: Situation, table: TableSpec, dates: int) -> list[Profile]:
    """The profiles of the files that were loaded for the newest `dates` business dates, in the order of their dates and
    loads. A file without a profile is measured now.
    """
    _create(situation)
    wanted = situation.rows(
        """
        select batch_id, load_seq
        from ops.batches
        where feed = ? and status = 'loaded' and rows_loaded > 0 and business_date <= ?
        qualify dense_rank() over (order by business_date desc) <= ?
        order by load_seq
        """,
        [table.feed, situation.today, dates],
    )
    names = [row[0] for row in wanted]
    known: dict[str, set[tuple[str, str | None]]] = {}
    for batch_id, column, kind in situation.rows(
        f"select batch_id, column_name, kind from {TABLE} where list_contains(?, batch_id)", [names]
    ):
        known.setdefault(batch_id, set()).add((column, kind))
    # If the contract has changed, a stored profile may be about other columns, or about a text that is now a number.
    # Such a profile is not used.
    monitored = set(table.monitored.items())
    lacking = [row for row in wanted if known.get(row[0]) != monitored]
    for start in range(0, len(lacking), AT_ONCE):
        _measure(situation, table, lacking[start : start + AT_ONCE])
    found = situation.rows(
        f"""
        select
            batch_id, batches.business_date, coalesce(batches.part, ''), batches.load_seq, column_name, rows, filled,
            mean, low, tenth, median, ninetieth, high, counts
        from {TABLE} as profiles
        inner join ops.batches as batches using (batch_id)
        where list_contains(?, batch_id)
        order by batches.business_date, batches.load_seq
        """,
        [names],
    )
    return [Profile(*[*row[:-1], json.loads(row[-1]) if row[-1] else None]) for row in found]


def _create(situation: Situation) -> None:
    situation.connection.execute(
        f"""
        create table if not exists {TABLE} (
            batch_id varchar not null, feed varchar not null, column_name varchar not null, rows bigint not null,
            filled bigint not null, mean double, low double, tenth double, median double, ninetieth double,
            high double, counts json, kind varchar
        )
        """
    )
    # In an earlier version, the table has no column `kind`. The profiles in it get the kind NULL, so their files are
    # measured once more.
    if not situation.rows(
        "select 1 from duckdb_columns() where database_name = current_database() and schema_name = 'ops'"
        " and table_name = 'column_profiles' and column_name = 'kind'"
    ):
        situation.connection.execute(f"alter table {TABLE} add column kind varchar")


def _measure(situation: Situation, table: TableSpec, batches: Sequence[tuple[str, int]]) -> None:
    """Measure these batches and store their profiles. `batches`: (batch id, load_seq). This takes one scan, and a
    second one for those text columns that have few values.
    """
    monitored, batch_ids = list(table.monitored.items()), [batch_id for batch_id, _ in batches]
    # The table is sorted by this sequence number. So DuckDB's zone maps limit the scan to these batches.
    source = f"""
        {table_name(table.name)} as t
        inner join ops.batches as b on b.batch_id = t._batch_id
        where
            t._load_seq between {batches[0][1]} and {batches[-1][1]}
            and list_contains(?, t._batch_id)
            and t._line % (b.rows_loaded // {SAMPLE} + 1) = 0
    """
    parts = ", ".join(_described(name, kind) for name, kind in monitored)
    rows = situation.rows(f"select t._batch_id, count(*), {parts} from {source} group by 1", [batch_ids])
    few = [
        name
        for index, (name, kind) in enumerate(monitored)
        if kind == "text"
        and name not in table.personal
        and any(0 < row[2 + 6 * index + 5] <= MOST_VALUES for row in rows)
    ]
    counts: dict[str, dict[str, dict[str, int]]] = {}
    if few:
        listed = ", ".join(f"histogram(t.{identifier(name)})" for name in few)
        for row in situation.rows(f"select t._batch_id, {listed} from {source} group by 1", [batch_ids]):
            counts[row[0]] = {name: dict(found or {}) for name, found in zip(few, row[1:], strict=True)}
    lines = []
    for row in rows:
        for index, (name, kind) in enumerate(monitored):
            filled, mean, low, high, quantiles, _distinct = row[2 + 6 * index : 8 + 6 * index]
            of_column = counts.get(row[0], {}).get(name)
            lines.append(
                (
                    row[0],
                    table.feed,
                    name,
                    row[1],
                    filled,
                    mean,
                    low,
                    *(quantiles or (None, None, None)),
                    high,
                    json.dumps(of_column) if of_column and len(of_column) <= MOST_VALUES else None,
                    kind,
                )
            )
    situation.connection.execute(f"delete from {TABLE} where list_contains(?, batch_id)", [batch_ids])
    for start in range(0, len(lines), 500):
        portion = lines[start : start + 500]
        marks = ", ".join(f"({', '.join('?' for _ in portion[0])})" for _ in portion)
        situation.connection.execute(
            f"""
            insert into {TABLE}
                (batch_id, feed, column_name, rows, filled, mean, low, tenth, median, ninetieth, high, counts,
                kind)
            values {marks}
            """,
            [value for line in portion for value in line],
        )


def _described(name: str, kind: str) -> str:
    """SQL for six measures of a column: the number of values, their mean, the lowest, the highest, the list of three
    percentiles (10, 50 and 90), and the number of different texts.
    """
    column, number = f"t.{identifier(name)}", _number(name, kind)
    deciles = f"quantile_cont({number}, [0.1, 0.5, 0.9])" if kind in ("number", "whole", "moment") else "null"
    different = f"approx_count_distinct({column})" if kind == "text" else "null"
    return f"count({column}), avg({number}), min({number}), max({number}), {deciles}, {different}"


def _number(name: str, kind: str) -> str:
    """SQL for the number that stands for a value of this kind; NULL if there is none."""
    column = f"t.{identifier(name)}"
    if kind == "text":
        return f"length({column})"
    if kind == "moment":
        return f"(epoch({column}::timestamp) - epoch(b.business_date::timestamp)) / 86400.0"
    if kind == "flag":
        return f"{column}::int"
    return f"case when isfinite({column}::double) then {column}::double end"
