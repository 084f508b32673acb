"""Decides which part of a table a run scores, so that the cost of the checks does not grow with the history.

If a table grows by date, the part consists of the newest dates and the dates that recent loads touched, up to a number
of rows. The newest of the touched dates are taken first. So the first load of a long history is not scored as a whole:
scoring 20 million rows took 8 s, and 5 million rows took 1.5 s. If a table is a full extract, the part is its newest
date. Of any other table, all rows are scored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from asset_checks.days import days_later
from asset_checks.primitives.sql import date_list, identifier, table_name
from asset_checks.specs import TableSpec
from asset_checks.verdict import Situation


@dataclass(frozen=True)
class Scope:
    """The part of a table that is scored. `where`: an SQL condition for its rows. `dates`: its business dates; None if
    the table has no dates. `touched`: all dates that recent loads touched. `left_out`: how many of these are not in
    `dates`.
    """

    where: str
    dates: tuple[date, ...] | None
    touched: tuple[date, ...] = ()
    left_out: int = 0

    @property
    def words(self) -> str:
        if self.dates is None:
            return "all rows"
        if not self.dates:
            return "no date"
        rest = f", {self.left_out} older touched dates left out" if self.left_out else ""
        return f"{len(self.dates)} dates to {max(self.dates)}{rest}"


def touched_dates(situation: Situation, table: TableSpec, hours: float) -> tuple[date, ...]:
    """The business dates that loads of the last `hours` touched, over all feeds of the table. Dates in the future are
    left out.
    """
    feeds = table.feeds or ((table.feed,) if table.feed else ())
    if not feeds or not situation.exists("ops.touched_dates"):
        return ()
    since = situation.now_utc - timedelta(hours=hours)
    found = situation.rows(
        """
        select distinct touched.business_date
        from ops.touched_dates as touched
        inner join ops.batches as batches on batches.load_seq = touched.load_seq
        where list_contains(?, touched.feed) and batches.loaded_at >= ? and touched.business_date <= ?
        """,
        [list(feeds), since, situation.today],
    )
    return tuple(sorted(row[0] for row in found if row[0] is not None))


def newest_date(situation: Situation, table: TableSpec) -> date | None:
    """The newest date of the table that is not in the future."""
    column = identifier(table.date_column or "")
    [[newest]] = situation.rows(
        f"select max({column})::date from {table_name(table.name)} where {column}::date <= ?", [situation.today]
    )
    return newest if isinstance(newest, date) else None


def scope_of(situation: Situation, table: TableSpec) -> Scope:
    """The part of the table that is scored in this run."""
    return situation.once(("scope", table.name), lambda: _of_real_rows(_scope(situation, table), table))


def _of_real_rows(scope: Scope, table: TableSpec) -> Scope:
    if table.real_rows == "true":
        return scope
    return replace(scope, where=f"({scope.where}) and ({table.real_rows})")


def _scope(situation: Situation, table: TableSpec) -> Scope:
    if table.date_column is None:
        return Scope("true", None)
    newest = newest_date(situation, table)
    if newest is None:
        return Scope("false", ())
    column = identifier(table.date_column)
    if table.full_extract:
        return Scope(f"{column} = {date_list([newest])}", (newest,))
    parameters = situation.parameters.score
    touched = touched_dates(situation, table, parameters.recent_hours)
    window = {days_later(newest, -back) for back in range(parameters.window_dates)}
    others = sorted((day for day in touched if day not in window), reverse=True)
    others = others[: max(0, _affordable(situation, table, parameters.max_rows) - len(window))] if others else []
    wanted = window | set(others)
    where = f"{column}::date in ({date_list(wanted)})" if len(wanted) <= 60 else _ranges(column, wanted)
    return Scope(where, tuple(sorted(wanted)), touched, len(set(touched) - wanted))


def _affordable(situation: Situation, table: TableSpec, max_rows: int) -> int:
    """How many dates may be scored so that they have about `max_rows` rows in all. Each date is assumed to have the
    mean number of rows of the feeds.
    """
    feeds = table.feeds or ((table.feed,) if table.feed else ())
    [[rows, dates]] = situation.rows(
        """
        select coalesce(sum(rows_loaded), 0)::bigint, count(distinct business_date)
        from ops.batches
        where list_contains(?, feed) and status = 'loaded'
        """,
        [list(feeds)],
    )
    return int(max_rows * dates / rows) if rows else max_rows


def _ranges(column: str, days: set[date]) -> str:
    """An SQL condition for `column` being one of `days`, with one comparison for each range of days. A list of
    thousands of dates would be slow, and DuckDB could not skip any row group.
    """
    ranges: list[list[date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    return "(" + " or ".join(f"{column}::date between date '{a}' and date '{b}'" for a, b in ranges) + ")"
