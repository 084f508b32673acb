"""The newest runs, read from Dagster's run table without importing Dagster.

`ops status` and a run with nothing to do need only to know how the last runs ended. Importing Dagster and opening its
instance costs 1.2 s of CPU. Reading the table costs 2 ms.

The table is read only with the storage that a new home has. If another storage is configured (PostgreSQL), the answer
is None, and the caller asks Dagster.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ops_project.dagster_bridge.run_tags import BACKFILL_TAG, DOMAIN_TAG, PARENT_TAG, PROCESS_TAG, former
from ops_project.process import locks
from ops_project.process.processes import Process
from ops_project.settings import Settings

# Homes that were made by an earlier version have the second name.
OUR_STORAGE = (
    "module: ops_project.dagster_bridge.storage",
    "module: ops_project.runtime.dagster_bridge_storage",
)
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
IN_A_PROCESS = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
"""The states of a run that a process executes. A run that was killed at its very beginning still has the first one."""
INTERRUPTED = "interrupted"
"""The state of a run whose process is gone. Dagster shows the state before it until the next run ends it."""
PROCESS = """(
    SELECT mine.value FROM run_tags AS mine WHERE mine.run_id = runs.run_id AND mine."key" IN (?, ?) AND NOT EXISTS (
        SELECT 1 FROM run_tags AS parent INNER JOIN run_tags AS theirs ON theirs.run_id = parent.value
        WHERE parent.run_id = runs.run_id AND parent."key" = ?
        AND theirs."key" = mine."key" AND theirs.value = mine.value
    ) ORDER BY mine."key" LIMIT 1
)"""
"""The tag that names the process of a run. If Dagster's UI executes a run again, the new run has a copy of the tag of
its parent until its own process replaces it. The copy is left out, because it names the process of the parent.
"""
_OF_PROCESS = (PROCESS_TAG, former(PROCESS_TAG), PARENT_TAG)


@dataclass(frozen=True)
class RunFacts:
    """One run, with the facts that `ops status` shows."""

    run_id: str
    job: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Runs:
    """The newest runs.

    `newest`: domain → its newest run. A domain that never ran is absent.

    `unfinished`: whether any run has not ended.
    """

    newest: dict[str, RunFacts]
    unfinished: bool


def kept_here(settings: Settings) -> bool:
    """Whether the runs are kept in the storage that a new home has."""
    try:
        text = (settings.dagster_home / "dagster.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return False
    return any(name in text for name in OUR_STORAGE)


def read(settings: Settings, domains: Iterable[str]) -> Runs | None:
    """The newest runs; empty if there never was a run. None if the caller must ask Dagster, because the runs are kept
    elsewhere or the table cannot be read.
    """
    configuration, file = settings.dagster_home / "dagster.yaml", settings.dagster_home / "history" / "runs.db"
    if not os.path.lexists(configuration):
        return Runs({}, False)
    if not kept_here(settings):
        return None
    if not os.path.lexists(file):
        return Runs({}, False)
    newest, died = {}, locks.left(settings.lock)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as connection:
            for domain in domains:
                row = connection.execute(
                    f"""
                    SELECT run_id, pipeline_name, status, start_time, end_time, {PROCESS} FROM runs
                    WHERE run_id IN (SELECT run_id FROM run_tags WHERE "key" = ? AND value = ?)
                    ORDER BY id DESC LIMIT 1
                    """,
                    (*_OF_PROCESS, DOMAIN_TAG, domain),
                ).fetchone()
                if row is not None:
                    newest[domain] = RunFacts(
                        row[0], row[1], seen(row[2], row[0], row[5], died), moment(row[3]), moment(row[4])
                    )
            marks = ", ".join("?" * len(ENDED))
            unfinished = connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM runs WHERE status NOT IN ({marks}))", ENDED
            ).fetchone()
    # Another version of Dagster may have written the file, with other tables. The caller then asks Dagster itself.
    except sqlite3.Error:
        return None
    return Runs(newest, bool(unfinished[0]))


def seen(status: str, run_id: str, process: str | None, died: locks.Holder | None) -> str:
    """The state of a run in small letters: `interrupted`, if its process is gone.

    `process`: the tag that names the process. `died`: the process that ended while it held the writer's lock. This
    process cannot always see that process, for example if its container has gone.
    """
    found = Process.parse(process or "") if status in IN_A_PROCESS else None
    # A process of another boot may be one of another machine. Then only the lock that was left behind tells its end.
    gone = found is not None and not found.alive() and (found.visible() or (died is not None and died.run == run_id))
    return INTERRUPTED if gone else status.lower()


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class RecentRun(RunFacts):
    """A run with its domain. The domain is empty if the run belongs to none."""

    domain: str = ""


def recent(settings: Settings, since: datetime, limit: int = 500) -> list[RecentRun] | None:
    """The runs that began at `since` or later, and all runs that wait or have not ended, the newest first. None as in
    `read`.
    """
    marks = ", ".join("?" * len(ENDED))
    rows = _rows(
        settings,
        f"""
        SELECT run_id, pipeline_name, status, coalesce(start_time, strftime('%s', create_timestamp) + 0),
               end_time,
               (SELECT value FROM run_tags WHERE run_tags.run_id = runs.run_id AND "key" = ? LIMIT 1),
               {PROCESS}
        FROM runs
        WHERE start_time >= ? OR (start_time IS NULL AND create_timestamp >= ?) OR status NOT IN ({marks})
        ORDER BY id DESC LIMIT ?
        """,
        (DOMAIN_TAG, *_OF_PROCESS, since.timestamp(), f"{since:%Y-%m-%d %H:%M:%S}", *ENDED, limit),
    )
    if rows is None:
        return None
    died = locks.left(settings.lock)
    return [
        RecentRun(
            run_id=run_id,
            job=job,
            state=seen(state, run_id, process, died),
            started_at=moment(began),
            ended_at=moment(ended),
            domain=domain or "",
        )
        for run_id, job, state, began, ended, domain, process in rows
    ]


def backfills(settings: Settings) -> dict[str, dict[str, int]] | None:
    """Hash of a backfill's plan → state (`success`, `failure`, …) → number of runs. None as in `read`."""
    rows = _rows(
        settings,
        """
        SELECT run_tags.value, lower(runs.status), count(*) FROM runs
        INNER JOIN run_tags ON run_tags.run_id = runs.run_id AND run_tags."key" = ?
        GROUP BY 1, 2
        """,
        (BACKFILL_TAG,),
    )
    if rows is None:
        return None
    found: dict[str, dict[str, int]] = {}
    for plan, state, count in rows:
        found.setdefault(plan, {})[state] = count
    return found


def _rows(settings: Settings, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]] | None:
    """The rows of a query on the table of runs; empty if there never was a run. None as in `read`."""
    configuration, file = settings.dagster_home / "dagster.yaml", settings.dagster_home / "history" / "runs.db"
    if not os.path.lexists(configuration):
        return []
    if not kept_here(settings):
        return None
    if not os.path.lexists(file):
        return []
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(sql, parameters).fetchall()
    # Another version of Dagster may have written the file, with other tables. The caller then asks Dagster itself.
    except sqlite3.Error:
        return None
