"""Kills a command at chosen moments of its work, and reports what it left behind. A moment is any lasting effect: a
file that is opened for writing, renamed, linked or removed, a folder made or removed, an SQLite database that is
opened, another process that is started, and each named place of `process/kill_points.py`. The command is run once to
count the moments. Then it is killed at some of them, by SIGKILL, in a child process, and called again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from ops_project.operations.ledger import Ledger
from ops_project.pipeline.warehouse import snapshots
from ops_project.process import kill_points
from ops_project.settings import Settings
from tests.scenarios import homes

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LASTING = frozenset(
    {
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "shutil.rmtree",
        "sqlite3.connect",
        "subprocess.Popen",
    }
)
BESIDE_THE_DATA = ("_batch_id", "_load_seq", "ingestion_timestamp", "dbt_updated_at", "run_id", "built_at")


@dataclass(frozen=True)
class Ended:
    """How the child ended: its exit code or the signal that killed it, the number of its moments, and its output."""

    code: int
    """As in os.waitstatus_to_exitcode: the code is negative for a signal."""
    moments: int
    output: str
    errors: str

    @property
    def said(self) -> str:
        return self.output + self.errors

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


def run(work: Callable[[], object], log: Path, kill_at: int | None = None) -> Ended:
    """Do `work` in a child, and kill it at its moment number `kill_at`, from 1."""
    counted = log.with_suffix(".moments")
    counted.unlink(missing_ok=True)

    def counting() -> int:
        watch(counted, kill_at)
        work()
        return 0

    child = homes.fork(counting, log)
    _, status = os.waitpid(child.pid, 0)
    output, errors = (_text(file) for file in (log, log.with_suffix(".err")))
    moments = counted.stat().st_size if counted.exists() else 0
    return Ended(os.waitstatus_to_exitcode(status), moments, output, errors)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def watch(counted: Path, kill_at: int | None) -> None:
    """From now on count the moments of this process, and kill it at one of them. The size of the file `counted` is the
    number of moments.
    """
    descriptor = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number, us = 0, os.getpid()

    def moment() -> None:
        nonlocal number
        if os.getpid() != us:
            return  # a process that this one has started has moments of its own
        number += 1
        os.write(descriptor, b".")
        if number == kill_at:
            os.kill(us, signal.SIGKILL)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in LASTING or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES):
            moment()

    def reached(_place: str) -> None:
        moment()

    sys.addaudithook(heard)
    for module in list(sys.modules.values()):
        if getattr(module, "reach", None) is kill_points.reach:
            module.reach = reached  # type: ignore[attr-defined]  # it was imported by name


def spread(moments: int, count: int) -> list[int]:
    """`count` moments, evenly spread over the work, including the first and the last."""
    if moments <= count:
        return list(range(1, moments + 1))
    return sorted({1 + round(number * (moments - 1) / (count - 1)) for number in range(count)})


def repeated(
    original: Settings,
    folder: Path,
    command: Callable[[Settings], object],
    count: int,
    state: Callable[[Settings], dict[str, object]],
    done: str = "",
) -> Iterator[int]:
    """Run the command on a copy of the home. Then kill it at `count` moments, each on a new copy, and call the command
    again. `done`: the message with which the second call may end with 1, if the first call was killed after all its
    work was done. Yields each moment of a kill. Raises AssertionError if the state differs from that of the undisturbed
    run.
    """
    calm = homes.copy(original, folder / "calm")
    ended = run(lambda: command(calm), folder / "calm.log")
    assert ended.code == 0, ended.said
    wanted = state(calm)
    moments, tried = ended.moments, set[int]()
    while left := [number for number in spread(moments, count) if number not in tried]:
        number = left[0]
        tried.add(number)
        home = homes.copy(original, folder / f"home-{number}")
        killed = run(partial(command, home), folder / "killed.log", number)
        if not killed.was_killed:
            # The undisturbed run came first and has made files that later runs find, so they have fewer moments.
            moments = min(moments, killed.moments)
            shutil.rmtree(home.home)
            continue
        again = run(partial(command, home), folder / "again.log")
        assert again.code == 0 or (done and again.code == 1 and done in again.said), (
            f"after the kill at moment {number}: {again.said}"
        )
        found = state(home)
        other = {name: (wanted.get(name), found.get(name)) for name in wanted.keys() | found.keys()}
        other = {name: (before, after) for name, (before, after) in other.items() if before != after}
        assert not other, f"after the kill at moment {number} of {ended.moments} (calm, killed): {other}"
        shutil.rmtree(home.home)
        yield number


def state_of(settings: Settings) -> dict[str, object]:
    """The visible content of a home: tables and published files by their business columns, refused rows, open
    alerts.
    """
    found: dict[str, object] = {}
    newest = snapshots.newest(settings)
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        tables = _tables(connection)
        found |= {f"warehouse {name}": said for name, said in tables.items()}
        if "ops.quarantine" in _names(connection, "ops"):
            found["refused rows"] = connection.execute(
                "SELECT feed, column_name, reason, count(*) FROM ops.quarantine GROUP BY ALL ORDER BY ALL"
            ).fetchall()
            found["files"] = connection.execute(
                "SELECT feed, file_name, status, count(*) FROM ops.batches GROUP BY ALL ORDER BY ALL"
            ).fetchall()
    with snapshots.open(newest) as connection:
        found["snapshot"] = _tables(connection) == tables
    for current in sorted(settings.published.glob("*/current")):
        for file in sorted(current.rglob("*.parquet")):
            with duckdb.connect() as connection:
                connection.execute(f"CREATE VIEW file AS SELECT * FROM '{file}'")
                name = f"published {current.parent.name}/{file.relative_to(current)}"
                found[name] = _checksum(connection, "file")
    if settings.ledger_url.startswith("sqlite:///"):
        with Ledger.open(settings.ledger_url) as ledger:
            # A killed run is reported as killed. That is not part of the state of the data.
            found["alerts"] = sorted({(one.rule, one.asset) for one in ledger.alerts("open", 500) if one.asset})
    return found


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, str]]:
    return {
        name: _checksum(connection, name)
        for schema in ("bronze", "silver", "gold")
        for name in _names(connection, schema)
    }


def _names(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    rows = connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ? ORDER BY 1", [schema])
    return [f"{schema}.{name}" for (name,) in rows.fetchall()]


def _checksum(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, str]:
    columns = [name for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall() if name not in BESIDE_THE_DATA]
    business = ", ".join(f'"{column}"' for column in columns) or "1"
    row = connection.execute(
        f"SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM (SELECT {business} FROM {table}) t"
    ).fetchone()
    assert row is not None
    return row[0], row[1]
