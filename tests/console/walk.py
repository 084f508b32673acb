"""Reads every figure twice: from its page, and by its query at its source. The source is read in another way than the
console reads it.

The snapshot is opened as a DuckDB file. The ledger is asked through its driver. Runs, steps and tables come from
Dagster's own instance and event log.
"""

from __future__ import annotations

import html
import json
import os
import re
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import duckdb

from ops_project.catalog import load
from ops_project.dagster_bridge.run_tags import DOMAIN_TAG
from ops_project.operations.ledger import open_ledger
from ops_project.operations.ledger.lineage_document import recall
from ops_project.pipeline.warehouse import snapshots
from ops_project.queries import find
from ops_project.queries.boards import LEDGER, RUNS, SNAPSHOT, Figure, every
from ops_project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster import DagsterInstance, DagsterRun

Rows = list[tuple[Any, ...]]
NAMES = re.compile(r"[$:](as_of_date|as_of|since|before|zone)\b")


@dataclass(frozen=True)
class Walked:
    """The result of a walk. `unknown`: figure → why it is unknown. `compared`: the figures that were compared, all of
    which are equal.
    """

    unknown: Mapping[str, str]
    compared: frozenset[str]


def walk(settings: Settings, now: datetime, read: Callable[[str], str]) -> Walked:
    """Compare every figure that `read` (path → text of the page) shows with its query. Raises AssertionError."""
    unknown, compared = {}, set()
    with _sources(settings, now) as ask:
        for item in every():
            shown = json.loads(read(f"/figures/{item.id}.json"))
            assert shown["tells"] == item.tells and shown["sql"] == item.sql and shown["asked_at"], item.id
            page = html.unescape(read(f"/figures/{item.id}"))
            assert all(words in page for words in (item.title, item.tells, item.sql, "<dt>Asked</dt>")), item.id
            if shown["unknown"]:
                assert shown["rows"] == [], item.id
                unknown[item.id] = shown["unknown"]
                continue
            assert shown["source"] and (item.source != SNAPSHOT or shown["source_as_of"]), item.id
            wanted = [[_plain(value) for value in row] for row in ask(item)]
            assert wanted == [[_plain(value) for value in row] for row in shown["rows"]], item.id
            compared.add(item.id)
    return Walked(unknown, frozenset(compared))


@contextmanager
def _sources(settings: Settings, now: datetime) -> Iterator[Callable[[Figure], Iterable[tuple[Any, ...]]]]:
    newest = snapshots.newest(settings)
    assert newest is not None
    minute = now.astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0)
    times = {"as_of": minute, "since": minute - timedelta(days=7), "before": minute - timedelta(days=14)}
    zone = load(settings).platform.zone
    today = now.astimezone(zone).date()
    ledger = open_ledger(settings)
    with (
        tempfile.TemporaryDirectory(dir=settings.home) as folder,
        duckdb.connect(_again(newest.database, Path(folder)), read_only=True) as warehouse,
        ledger.read() as rows,
    ):
        there = {
            f"{schema}.{table}"
            for schema, table in warehouse.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
        }
        runs = _runs_database(settings, now, warehouse)

        def ask(item: Figure) -> Iterable[tuple[Any, ...]]:
            if item.source == SNAPSHOT:
                sql = item.sql
                if item.board.startswith("queries-"):
                    sql = find(item.board.removeprefix("queries-"), item.name).for_tables(there)
                values = {**times, "as_of_date": today, "zone": zone.key}
                return warehouse.execute(sql, {name: values[name] for name in set(NAMES.findall(sql))}).fetchall()
            if item.source == LEDGER:
                seconds = {
                    name: (now - timedelta(days=days)).timestamp()
                    for name, days in (("as_of", 0), ("since", 7), ("before", 14))
                }
                answer: Rows = rows.connection.cursor().execute(item.sql, seconds).fetchall()
                return answer
            assert item.source == RUNS
            words = {
                name: _text(now - timedelta(days=days)) for name, days in (("as_of", 0), ("since", 7), ("before", 14))
            }
            return runs.execute(item.sql, words).fetchall()

        with closing(runs):
            yield ask


def _again(database: Path, folder: Path) -> str:
    """A copy of the file under another name, because connections of one process to the same name share an engine and
    its limits.
    """
    linked = folder / database.name
    linked.hardlink_to(database)
    return str(linked)


def _runs_database(settings: Settings, now: datetime, warehouse: duckdb.DuckDBPyConnection) -> sqlite3.Connection:
    """The tables that a figure about runs may ask, from Dagster's instance, the lineage and the journal of landing."""
    from dagster import DagsterInstance

    made = sqlite3.connect(":memory:")
    runs, steps, builds = [], [], []
    home = {"DAGSTER_HOME": str(settings.dagster_home)}
    with mock.patch.dict(os.environ, home), DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        for record in instance.get_run_records():
            run, began, ended = record.dagster_run, record.start_time, record.end_time
            if began is None or began > now.timestamp():
                continue
            domain = run.tags.get(DOMAIN_TAG, "")
            start = _text(datetime.fromtimestamp(began, UTC))
            end = None if ended is None else _text(datetime.fromtimestamp(ended, UTC))
            seconds = None if ended is None else ended - began
            runs.append((run.run_id, run.job_name, domain, run.status.value.lower(), start, end, seconds))
            if now.timestamp() - began <= timedelta(days=8).total_seconds():
                of_steps, of_tables = _spent(instance, run)
                steps += [(run.run_id, step, domain, start, took) for step, took in of_steps.items()]
                builds += [(run.run_id, asset, domain, start, took, count) for asset, took, count in of_tables]
    ledger = open_ledger(settings)
    sizes = ledger.latest("storage.asset_bytes").values()
    zone = load(settings).platform.zone
    sums: dict[tuple[str, str], list[int]] = {}
    if warehouse.execute("select 1 from information_schema.tables where table_name = 'batches'").fetchone():
        for domain, arrived, *sizes_of in warehouse.execute(
            "select domain, arrived_at, 1, rows_loaded, size_bytes from ops.batches where status = 'loaded'"
        ).fetchall():
            day = str(arrived.replace(tzinfo=UTC).astimezone(zone).date())
            sums[domain, day] = [a + b for a, b in zip(sums.get((domain, day), [0, 0, 0]), sizes_of, strict=True)]
    landed: Rows = [(*key, *found) for key, found in sums.items()]
    made.create_function(
        "local_day", 1, lambda at: str(datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(zone).date())
    )
    tables: dict[str, tuple[str, Rows]] = {
        "runs": ("run_id, job, domain, state, started_at, ended_at, seconds", runs),
        "assets": (
            "key, domain, layer",
            [(fact.key, fact.domain, fact.key.split("/")[0]) for fact in recall(ledger).assets.values()],
        ),
        "steps": ("run_id, step, domain, started_at, seconds", steps),
        "builds": ("run_id, asset, domain, started_at, seconds, rows", builds),
        "sizes": ("asset, domain, bytes", [(s.asset, s.domain, s.value) for s in sizes if s.value is not None]),
        "landed": ("domain, business_date, files, rows, bytes", [(*row[:3], *map(_whole, row[3:])) for row in landed]),
    }
    for name, (columns, content) in tables.items():
        made.execute(f"create table {name} ({columns})")
        made.executemany(f"insert into {name} values ({', '.join('?' * (columns.count(',') + 1))})", content)
    return made


def _spent(instance: DagsterInstance, run: DagsterRun) -> tuple[dict[str, float], Rows]:
    """Seconds of each step, and (table, seconds, rows) of each table: the time that dbt reports, or else a share of the
    rest of the step.
    """
    steps: dict[str, float] = defaultdict(float)
    tables: dict[str, dict[str, Any]] = {}
    for entry in instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_success or event.is_step_failure:
            data: Any = event.event_specific_data
            steps[event.step_key or ""] += (getattr(data, "duration_ms", None) or 0.0) / 1000
        elif event.is_step_materialization:
            made = event.step_materialization_data.materialization
            facts: dict[str, Any] = {label: value.value for label, value in made.metadata.items()}
            found = tables.setdefault(made.asset_key.to_user_string(), {"own": None, "rows": None, "count": None})
            found["step"] = event.step_key or ""
            if (took := facts.get("Execution Duration")) is not None:
                found["own"] = max(found["own"] or 0.0, took)
            if (came := facts.get("rows loaded")) is not None:
                found["rows"] = max(found["rows"] or 0, came)
            elif (count := facts.get("dagster/row_count")) is not None:
                found["count"] = count
    result: Rows = []
    for asset, found in sorted(tables.items()):
        took = found["own"]
        mates = [other for other in tables.values() if other["step"] == found["step"]]
        if took is None and found["step"] in steps:
            rest = steps[found["step"]] - sum(mate["own"] for mate in mates if mate["own"] is not None)
            took = max(0.0, rest) / sum(mate["own"] is None for mate in mates)
        result.append((asset, took, found["count"] if found["rows"] is None else found["rows"]))
    return dict(steps), result


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _whole(value: Any) -> Any:
    return None if value is None else int(value)


def _plain(value: object) -> object:
    """A value in a form in which JSON and two drivers agree: a moment to the second in UTC, a number to nine digits."""
    if type(value).__name__ == "Decimal" or (isinstance(value, int | float) and not isinstance(value, bool)):
        return float(f"{float(value):.9g}")  # type: ignore[arg-type]  # a Decimal is one
    return None if value is None else re.sub(r"(:\d\d)\+00:00$", r"\1", str(value))
