"""Dagster's runs as tables that the SQL of a figure can query. The tables `runs` and `assets` are always there. The
others (see TABLES) take longer to read, so each is read only for a figure whose SQL names it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ops_project.console.site import Site
from ops_project.console.span import Span
from ops_project.console.warehouse import Unanswered
from ops_project.dagster_bridge.build_times import RunTimes, of_run
from ops_project.dagster_bridge.runs_file import ENDED, RecentRun
from ops_project.lineage import Lineage

RUNS = "run_id, job, domain, state, started_at, ended_at, seconds"
TABLES = {
    "steps": "run_id, step, domain, started_at, seconds",
    "builds": "run_id, asset, domain, started_at, seconds, rows",
    "sizes": "asset, domain, bytes",
    "landed": "domain, business_date, files, rows, bytes",
}
"""Table → its columns."""
SPENT_BACK = timedelta(days=8)
"""How far back the events of runs are read. Each run has its own file of events, so a longer time would need many
files.
"""
MOST_KEPT = 500
LANDED = """
select
    domain,
    strftime(arrived_at at time zone 'UTC' at time zone $zone, '%Y-%m-%d'),
    count(*),
    sum(rows_loaded),
    sum(size_bytes)
from ops.batches where status = 'loaded' group by all
"""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
Rows = list[tuple[Any, ...]]
Read = Callable[[], Rows]


def spent(site: Site, runs: Sequence[RecentRun], until: datetime) -> Mapping[str, Read]:
    """Tables about the duration and size of the runs: table → a function that reads its rows."""
    return {
        "steps": partial(_steps, site, runs, until),
        "builds": partial(_builds, site, runs, until),
        "sizes": partial(_sizes, site),
        "landed": partial(_landed, site),
    }


def ask_runs(
    runs: Sequence[RecentRun],
    sql: str,
    span: Span,
    lineage: Lineage | None = None,
    more: Mapping[str, Read] | None = None,
    *,
    zone: ZoneInfo,
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """The columns and rows that a query returns. The query can read `runs` as they stood at the end of the span,
    `assets`, and the tables of `more`. It can call `local_day`, which returns the date of a moment in `zone`.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("local_day", 1, partial(_local_day, zone), deterministic=True)
        _fill(connection, "runs", RUNS, [_row(r) for r in runs if r.started_at is None or r.started_at <= span.until])
        facts = lineage.assets.values() if lineage is not None else ()
        _fill(connection, "assets", "key, domain, layer", [(f.key, f.domain, f.key.partition("/")[0]) for f in facts])
        for table, columns in TABLES.items():
            if re.search(rf"\b{table}\b", sql):
                _fill(connection, table, columns, more[table]() if more is not None else [])
        parameters = {name: _text(at) for name, at in span.moments().items() if f":{name}" in sql}
        found = connection.execute(sql, parameters)
        return tuple(column[0] for column in found.description), tuple(found.fetchall())


def moments(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same rows, with the texts of columns named `…_at` turned into datetimes. The texts are in UTC; a datetime is
    shown in the platform's zone.
    """
    at = [place for place, name in enumerate(columns) if name.endswith("_at")]
    for row in rows:
        yield tuple(
            datetime.fromisoformat(value).replace(tzinfo=UTC)
            if place in at and isinstance(value, str) and MOMENT.fullmatch(value)
            else value
            for place, value in enumerate(row)
        )


def _fill(connection: sqlite3.Connection, table: str, columns: str, rows: Rows) -> None:
    connection.execute(f"create table {table} ({columns})")
    marks = ", ".join("?" * (columns.count(",") + 1))
    connection.executemany(f"insert into {table} values ({marks})", rows)


def _row(run: RecentRun) -> tuple[Any, ...]:
    return (run.run_id, run.job, run.domain, run.state, _text(run.started_at), _text(run.ended_at), _seconds(run))


def _local_day(zone: ZoneInfo, moment: str | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(zone).date().isoformat()


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(run: RecentRun) -> float | None:
    return (run.ended_at - run.started_at).total_seconds() if run.started_at and run.ended_at else None


def _each(site: Site, runs: Sequence[RecentRun], until: datetime) -> Iterator[tuple[RecentRun, RunTimes]]:
    """The runs that began at most SPENT_BACK before `until`, each with its times. The times of a run that has ended are
    kept and read only once.
    """
    kept = site.run_times
    for run in runs:
        if run.started_at is None or not until - SPENT_BACK <= run.started_at <= until:
            continue
        found = kept.get(run.run_id)
        if found is None:
            found = of_run(site.settings, run.run_id)
            if found is None:
                continue
            if run.state.upper() in ENDED:
                kept[run.run_id] = found
                while len(kept) > MOST_KEPT:
                    kept.pop(next(iter(kept)), None)
        yield run, found


def _steps(site: Site, runs: Sequence[RecentRun], until: datetime) -> Rows:
    return [
        (run.run_id, step, run.domain, _text(run.started_at), seconds)
        for run, found in _each(site, runs, until)
        for step, seconds in found.steps
    ]


def _builds(site: Site, runs: Sequence[RecentRun], until: datetime) -> Rows:
    return [
        (run.run_id, build.asset, run.domain, _text(run.started_at), build.seconds, build.rows)
        for run, found in _each(site, runs, until)
        for build in found.builds
    ]


def _sizes(site: Site) -> Rows:
    return [
        (signal.asset, signal.domain, signal.value)
        for signal in site.ledger.latest("storage.asset_bytes").values()
        if signal.value is not None
    ]


def _landed(site: Site) -> Rows:
    try:
        return [tuple(row) for row in site.reader.ask(LANDED, {"zone": site.catalog.platform.timezone}).rows]
    except Unanswered:
        return []
