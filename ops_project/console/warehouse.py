"""Reads the newest snapshot for the pages: read-only, with little memory, at low priority, and with a time limit.
Queries run in two threads of this module, so that a slow query delays no other page and no run. An answer is kept as
long as its snapshot is the newest. A question that needs more memory is asked in a separate process.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from ops_project.console import apart
from ops_project.console.statement import execute
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.time_limit import limited
from ops_project.settings import Settings

MEMORY = "96MB"
WORKERS = 2
SECONDS = 10.0
LOW_PRIORITY = 5
"""The priority (a `nice` value). It is lower than a run's, but high enough for a page on a busy machine to get its
figures in time.
"""
MOST_ROWS = 5_000
KEPT = 400
_EXISTING = (
    "select schema_name, table_name from duckdb_tables() where not internal "
    "union all select schema_name, view_name from duckdb_views() where not internal"
)


Key = tuple[Any, ...]
"""The key of a kept answer: snapshot, query and parameters."""


class Unanswered(RuntimeError):
    """The question could not be answered, and the message says why. A figure that needs the answer is shown as
    unknown.
    """


@dataclass(frozen=True)
class Rows:
    """An answer, with the snapshot that it comes from."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    snapshot: str
    as_of: datetime
    cut: bool = False
    """Whether the query has more rows than were kept."""

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class SnapshotReader:
    """One home's newest snapshot. Several threads may use the reader."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(WORKERS, "snapshot-reader", initializer=_lower_priority)
        self._open: tuple[str, duckdb.DuckDBPyConnection] | None = None
        self._tables: tuple[str, frozenset[str]] | None = None
        self._kept: OrderedDict[Key, Rows] = OrderedDict()

    def newest(self) -> snapshots.Snapshot | None:
        """The newest snapshot; None before the first run."""
        try:
            return snapshots.newest(self.settings)
        except snapshots.NoSnapshot:
            return None

    def tables(self) -> frozenset[str]:
        """Every table and view of the newest snapshot as schema.name; empty if there is no snapshot."""
        snapshot = self.newest()
        if snapshot is None:
            return frozenset()
        if self._tables is None or self._tables[0] != snapshot.id:
            found = self.ask(_EXISTING, snapshot=snapshot)
            self._tables = (snapshot.id, frozenset(f"{schema}.{name}" for schema, name in found.rows))
        return self._tables[1]

    def ask(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        seconds: float = SECONDS,
        snapshot: snapshots.Snapshot | None = None,
    ) -> Rows:
        """The answer to one SELECT: at most MOST_ROWS rows. Raises Unanswered.

        `snapshot`: the snapshot to read; by default the newest.
        """
        snapshot = snapshot or self.newest()
        if snapshot is None:
            raise Unanswered("nothing has been built yet: `ops run` makes the first snapshot")
        key = (snapshot.id, sql, tuple(sorted((parameters or {}).items())))
        if (known := self._known(key)) is not None:
            return known
        try:
            rows = self._pool.submit(self._answer, snapshot, sql, dict(parameters or {}), seconds).result(seconds * 2)
        except TimeoutError:
            raise Unanswered(f"the question took longer than {seconds:g} s") from None
        except duckdb.InterruptException:
            raise Unanswered(f"the question took longer than {seconds:g} s and was stopped") from None
        except duckdb.OutOfMemoryException:
            return self._with_more_memory(key, snapshot, sql, dict(parameters or {}), seconds)
        except duckdb.CatalogException as error:
            raise Unanswered(f"the query reads a table that is not built yet: {str(error).splitlines()[0]}") from None
        except (duckdb.Error, OSError) as error:
            raise Unanswered(str(error).splitlines()[0]) from None
        return self._keep(key, rows)

    def close(self) -> None:
        """Close the snapshot and stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _known(self, key: Key) -> Rows | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: Key, rows: Rows) -> Rows:
        with self._lock:
            self._kept[key] = rows
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return rows

    def _answer(self, snapshot: snapshots.Snapshot, sql: str, parameters: dict[str, Any], seconds: float) -> Rows:
        with self._cursor(snapshot) as cursor, limited(cursor, seconds):
            found = execute(cursor, sql, parameters)
            columns = tuple(column[0] for column in found.description or ())
            rows = found.fetchmany(MOST_ROWS + 1)
        return Rows(columns, tuple(rows[:MOST_ROWS]), snapshot.id, snapshot.as_of, len(rows) > MOST_ROWS)

    def _with_more_memory(
        self, key: Key, snapshot: snapshots.Snapshot, sql: str, parameters: dict[str, Any], seconds: float
    ) -> Rows:
        """Ask in a separate process. The memory limit of the engine holds for the whole server, so it cannot be raised
        for one question. If several browsers show the same page, they wait for the same answer.
        """
        try:
            with apart.turn(seconds):
                if (known := self._known(key)) is not None:
                    return known
                columns, rows = apart.ask(snapshot, sql, parameters, seconds, MOST_ROWS + 1)
                cut = len(rows) > MOST_ROWS
                return self._keep(key, Rows(columns, tuple(rows[:MOST_ROWS]), snapshot.id, snapshot.as_of, cut))
        except apart.Failed as error:
            raise Unanswered(str(error)) from None

    def _cursor(self, snapshot: snapshots.Snapshot) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._open is None or self._open[0] != snapshot.id:
                # Questions that still run on the old snapshot have their own cursors. These keep the old snapshot open.
                if self._open is not None:
                    self._open[1].close()
                self._open = (snapshot.id, snapshots.open(snapshot, MEMORY, threads=1))
            return self._open[1].cursor()


def _lower_priority() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
