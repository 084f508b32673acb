"""Answers a figure, and says from what and when. What cannot be answered is unknown, with the reason."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ops_project.console.run_history import recent_runs
from ops_project.console.site import Site
from ops_project.console.warehouse import Unanswered
from ops_project.dagster_bridge.runs_file import RecentRun
from ops_project.queries import Query, find
from ops_project.queries.boards import LEDGER, SNAPSHOT, Figure

RUNS_BACK = timedelta(days=92)
MOST_RUNS = 20_000
MOST_ROWS = 5_000
BAND = ("expected_low", "expected_high")
AVERAGE = "average"
PARAMETER = re.compile(r"\$(as_of_date|as_of)\b")


@dataclass(frozen=True)
class Answer:
    """A figure with its values. `unknown`: why there are none; empty where there are."""

    figure: Figure
    asked_at: datetime
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    source: str = ""
    """Which snapshot, ledger or store was asked."""
    source_as_of: datetime | None = None
    """The as-of time of the snapshot; None for what is always of now."""
    unknown: str = ""
    absent: Sequence[str] = field(default_factory=tuple)
    """Optional tables that are not built: what they would tell is unknown."""

    @property
    def value(self) -> Any:
        """The value of a number; None where it is unknown."""
        return self.rows[0][0] if self.rows and self.rows[0] else None

    @property
    def numeric(self) -> frozenset[int]:
        """The columns that hold numbers."""
        return frozenset(
            at
            for at in range(len(self.columns))
            if any(isinstance(row[at], int | float | Decimal) and not isinstance(row[at], bool) for row in self.rows)
        )

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def answer(site: Site, figure: Figure, now: datetime) -> Answer:
    """Ask the figure's source. Never raises for what cannot be answered."""
    try:
        if figure.source == SNAPSHOT:
            return _of_snapshot(site, figure, now)
        if figure.source == LEDGER:
            return _of_ledger(site, figure, now)
        return _of_runs(site, figure, now)
    except Unanswered as error:
        return Answer(figure, now, unknown=str(error))
    except (SQLAlchemyError, sqlite3.Error) as error:
        return Answer(figure, now, unknown=str(getattr(error, "orig", None) or error).splitlines()[0])


def _of_snapshot(site: Site, figure: Figure, now: datetime) -> Answer:
    zone = site.catalog.platform.zone
    # To the minute, so that a page that is read again is answered from what is kept.
    clock = {
        "as_of": now.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0),
        "as_of_date": now.astimezone(zone).date(),
    }
    sql, absent = figure.sql, list[str]()
    if figure.board.startswith("queries-"):
        query: Query = find(figure.board[8:], figure.name)
        tables = site.reader.tables()
        sql, absent = query.for_tables(tables), query.absent(tables)
    found = site.reader.ask(sql, {name: clock[name] for name in PARAMETER.findall(sql)})
    return Answer(figure, now, found.columns, found.rows, f"snapshot {found.snapshot}", found.as_of, absent=absent)


def _of_ledger(site: Site, figure: Figure, now: datetime) -> Answer:
    parameters = {"as_of": now.timestamp()} if ":as_of" in figure.sql else {}
    with site.ledger.read() as connection:
        result = connection.execute(text(figure.sql), parameters)
        rows = tuple(tuple(row) for row in result.fetchmany(MOST_ROWS))
    return Answer(figure, now, tuple(result.keys()), rows, "the ledger")


def _of_runs(site: Site, figure: Figure, now: datetime) -> Answer:
    runs = recent_runs(site.settings, now - RUNS_BACK, MOST_RUNS)
    if runs is None:
        raise Unanswered("Dagster keeps its runs in another store; the Dagster UI shows them")
    columns, rows = ask_runs(runs, figure.sql, now)
    return Answer(figure, now, columns, rows, "Dagster's runs")


def ask_runs(runs: Sequence[RecentRun], sql: str, now: datetime) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Columns and rows of a query on the table `runs`."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table runs (run_id, job, domain, state, started_at, ended_at, seconds)")
        connection.executemany(
            "insert into runs values (?, ?, ?, ?, ?, ?, ?)",
            [
                (run.run_id, run.job, run.domain, run.state, _text(run.started_at), _text(run.ended_at), _seconds(run))
                for run in runs
                if run.started_at is None or run.started_at <= now
            ],
        )
        found = connection.execute(sql, {"as_of": _text(now)} if ":as_of" in sql else {})
        return tuple(column[0] for column in found.description), tuple(found.fetchall())


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(run: RecentRun) -> float | None:
    return (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else None


def chart(found: Answer) -> dict[str, Any] | None:
    """What the script draws: x, and a series for each further column. None where there is nothing to draw."""
    if len(found.rows) < 2 or len(found.columns) < 2:
        return None
    x = [_x(row[0]) for row in found.rows]
    if any(value is None for value in x):
        return None
    names = found.columns[1:]
    series = [
        {
            "label": name.replace("_", " "),
            "role": "band" if name in BAND else "average" if AVERAGE in name else "line",
            "values": [_number(row[at]) for row in found.rows],
        }
        for at, name in enumerate(names, 1)
    ]
    low, high = (names.index(name) if name in names else None for name in BAND)
    return {
        "x": x,
        "x_label": found.columns[0].replace("_", " "),
        "x_kind": "date",
        "unit": found.figure.unit,
        "series": series,
        "bands": [[high, low]] if low is not None and high is not None else [],
        "zero": True,
    }


def _x(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value[:10])
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value) if isinstance(value, int | float) else None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def bars(found: Answer) -> list[tuple[str, float | None, float, tuple[Any, ...]]]:
    """(label, value, percent of the largest, what else there is) of each row."""
    values = [_number(row[1]) if len(row) > 1 else None for row in found.rows]
    largest = max((value for value in values if value is not None), default=0.0)
    return [
        (
            "unknown" if row[0] is None else str(row[0]),
            value,
            100 * value / largest if value is not None and largest > 0 else 0.0,
            tuple(row[2:]),
        )
        for row, value in zip(found.rows, values, strict=True)
    ]
