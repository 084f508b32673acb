"""Computes a figure, and says which source it comes from and when it was computed. A figure that cannot be computed is
unknown, and carries the reason.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ops_project.console.run_history import recent_runs
from ops_project.console.run_tables import ask_runs, moments, spent
from ops_project.console.site import Site
from ops_project.console.span import Span
from ops_project.console.warehouse import Unanswered
from ops_project.pipeline.warehouse import snapshots
from ops_project.queries import Query, find
from ops_project.queries.boards import LEDGER, SNAPSHOT, Figure

RUNS_BACK = timedelta(days=92)
MOST_RUNS = 20_000
MOST_ROWS = 5_000
BAND = ("expected_low", "expected_high")
AVERAGE = "average"
PARAMETER = re.compile(r"\$(as_of_date|as_of|since|before|zone)\b")


@dataclass(frozen=True)
class Answer:
    """A figure with its values. `unknown`: why there are none; empty if there are values."""

    figure: Figure
    asked_at: datetime
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    source: str = ""
    """The snapshot, ledger or store that the values come from."""
    source_as_of: datetime | None = None
    """The as-of time of the snapshot; None if the source always shows the present."""
    unknown: str = ""
    absent: Sequence[str] = field(default_factory=tuple)
    """Optional tables that have not been built. Values that depend on them are unknown."""

    @property
    def value(self) -> Any:
        """The value of a number; None if it is unknown."""
        return self.rows[0][0] if self.rows and self.rows[0] else None

    @property
    def numeric(self) -> frozenset[int]:
        """The positions of the columns that hold numbers."""
        return frozenset(
            at
            for at in range(len(self.columns))
            if any(isinstance(row[at], int | float | Decimal) and not isinstance(row[at], bool) for row in self.rows)
        )

    @property
    def dated(self) -> frozenset[int]:
        """The positions of the columns that hold dates or moments. The texts of these columns are not broken over two
        lines.
        """
        return frozenset(at for at in range(len(self.columns)) if any(isinstance(row[at], date) for row in self.rows))

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def answer(site: Site, figure: Figure, now: datetime, span: Span | None = None) -> Answer:
    """Compute the figure for `span`; by default for the seven days up to now. A figure that cannot be computed is
    unknown; no error is raised.

    With a span, the figure is read from the newest snapshot that was made before the span's end. So it shows what was
    known then.
    """
    wanted = span or Span.week(now)
    try:
        if figure.source == SNAPSHOT:
            return _of_snapshot(site, figure, now, wanted, _then(site, span))
        if figure.source == LEDGER:
            return _of_ledger(site, figure, now, wanted)
        return _of_runs(site, figure, now, wanted)
    except Unanswered as error:
        return Answer(figure, now, unknown=str(error))
    except (SQLAlchemyError, sqlite3.Error) as error:
        return Answer(figure, now, unknown=str(getattr(error, "orig", None) or error).splitlines()[0])


def _then(site: Site, span: Span | None) -> snapshots.Snapshot | None:
    """The snapshot that was the newest at the end of the span; None stands for the newest of all. Raises Unanswered."""
    if span is None:
        return None
    known = [snapshot for snapshot in snapshots.existing(site.settings) if snapshot.as_of <= span.until]
    if not known:
        raise Unanswered("No snapshot of that time is kept.")
    return max(known, key=lambda snapshot: (snapshot.as_of, snapshot.id))


def _of_snapshot(site: Site, figure: Figure, now: datetime, span: Span, snapshot: snapshots.Snapshot | None) -> Answer:
    zone = site.catalog.platform.zone
    # The time is rounded to the minute, so that a page that is opened again is answered from the stored answers.
    clock: dict[str, datetime | date | str] = {
        name: at.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0) for name, at in span.moments().items()
    }
    clock |= {"as_of_date": span.until.astimezone(zone).date(), "zone": zone.key}
    sql, absent = figure.sql, list[str]()
    if figure.board.startswith("queries-"):
        query: Query = find(figure.board[8:], figure.name)
        tables = site.reader.tables()
        sql, absent = query.for_tables(tables), query.absent(tables)
    found = site.reader.ask(sql, {name: clock[name] for name in PARAMETER.findall(sql)}, snapshot=snapshot)
    return Answer(
        figure=figure,
        asked_at=now,
        columns=found.columns,
        rows=found.rows,
        source=f"snapshot {found.snapshot}",
        source_as_of=found.as_of,
        absent=absent,
    )


def _of_ledger(site: Site, figure: Figure, now: datetime, span: Span) -> Answer:
    parameters = {name: at.timestamp() for name, at in span.moments().items() if f":{name}" in figure.sql}
    with site.ledger.read() as connection:
        result = connection.execute(text(figure.sql), parameters)
        rows = tuple(tuple(row) for row in result.fetchmany(MOST_ROWS))
    return Answer(figure, now, tuple(result.keys()), rows, "the ledger")


def _of_runs(site: Site, figure: Figure, now: datetime, span: Span) -> Answer:
    runs = recent_runs(site.settings, min(span.before, span.until - RUNS_BACK), MOST_RUNS)
    if runs is None:
        raise Unanswered("Dagster keeps its runs in another store; the Dagster UI shows them")
    zone = site.catalog.platform.zone
    columns, rows = ask_runs(runs, figure.sql, span, site.lineage, spent(site, runs, span.until), zone=zone)
    return Answer(figure, now, columns, tuple(moments(columns, rows)), "Dagster's runs")


def chart(found: Answer) -> dict[str, Any] | None:
    """The data of a chart: x, and a series for each further column. None if there is nothing to draw."""
    if len(found.rows) < 2 or len(found.columns) < 2:
        return None
    x = [_x(row[0]) for row in found.rows]
    if any(value is None for value in x):
        return None
    # The band comes first, so that the other lines are drawn over it.
    names = sorted(found.columns[1:], key=lambda name: name not in BAND)
    series = [
        {
            "label": name.replace("_", " "),
            "role": "band" if name in BAND else "average" if AVERAGE in name else "line",
            "values": [_number(row[found.columns.index(name)]) for row in found.rows],
        }
        for name in names
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
    """One tuple for each row: label, value, percent of the largest value, and the remaining columns."""
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
