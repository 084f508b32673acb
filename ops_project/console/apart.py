"""Answers a question that needs more memory than the server allows. A separate process answers it and then ends.

The process opens the same snapshot as the server, with more memory and otherwise the same limits: read-only, one
thread, low priority, no access to anything else. When it ends, its memory is free again.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ops_project.console.statement import execute
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.time_limit import limited

MEMORY = "512MB"
LOW_PRIORITY = 10
START_SECONDS = 10.0
"""The time that the process may take on a busy machine before it starts the query."""
_ONE_AT_A_TIME = threading.Lock()
Found = tuple[tuple[str, ...], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Question:
    """A question to the separate process.

    `seconds`: how long the query may take. `most`: how many rows are wanted at most.
    """

    folder: Path
    memory: str
    sql: str
    parameters: dict[str, Any]
    seconds: float
    most: int


class Failed(RuntimeError):
    """The question was not answered; the message says why."""


@contextmanager
def turn(seconds: float) -> Iterator[None]:
    """Wait until no other question runs, and run this one. The wait takes at most `seconds`, so that slow questions
    cannot block all threads of the server. Raises Failed.
    """
    if not _ONE_AT_A_TIME.acquire(timeout=seconds):
        raise Failed(
            f"other questions that need much memory took longer than {seconds:g} s; load the page again in a minute"
        )
    try:
        yield
    finally:
        _ONE_AT_A_TIME.release()


def ask(snapshot: snapshots.Snapshot, sql: str, parameters: Mapping[str, Any], seconds: float, most: int) -> Found:
    """The columns and at most `most` rows. The caller holds the `turn`. Raises Failed."""
    question = Question(snapshot.folder, MEMORY, sql, dict(parameters), seconds, most=most)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ops_project.console.apart"],
            input=pickle.dumps(question),
            capture_output=True,
            timeout=seconds + START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"the question took longer than {seconds:g} s and was stopped") from None
    if done.returncode != 0:
        raise Failed(f"the process that ran the query ended with code {done.returncode} and gave no answer")
    found, why = pickle.loads(done.stdout)  # Only the child process of this server writes this output.
    if why:
        raise Failed(why)
    columns, rows = found
    return columns, rows


def answer(question: Question) -> tuple[Found | None, str]:
    """The answer, and an empty text; or None, and the reason why there is no answer. The separate process calls this
    function.
    """
    seconds, memory = question.seconds, question.memory
    try:
        snapshot = snapshots.Snapshot(question.folder, {})
        with snapshots.open(snapshot, memory, threads=1) as connection, limited(connection, seconds):
            found = execute(connection, question.sql, question.parameters)
            columns = tuple(column[0] for column in found.description or ())
            return (columns, found.fetchmany(question.most)), ""
    except duckdb.OutOfMemoryException:
        return None, f"the question needs more than {memory} of memory and was stopped"
    except duckdb.InterruptException:
        return None, f"the question took longer than {seconds:g} s and was stopped"
    except (duckdb.Error, OSError) as error:
        # For example, the snapshot may have been removed in the meantime.
        return None, str(error).splitlines()[0]


if __name__ == "__main__":
    from ops_project.console import apart

    os.nice(LOW_PRIORITY)
    # The class of the pickled question belongs to the module `ops_project.console.apart`. The same class under the name
    # `__main__` would be another class.
    sys.stdout.buffer.write(pickle.dumps(apart.answer(pickle.load(sys.stdin.buffer))))
