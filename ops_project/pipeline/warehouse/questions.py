"""Runs a query on a snapshot with limits, so that the query cannot hang, use up the machine, or slow down a running
pipeline.

- The engine works in a thread of the lowest priority, with few threads of its own.
- A memory limit applies to the whole process, because the engine's own limit does not cover a single huge text.
- The answer comes in blocks, and is never in memory as a whole.
"""

from __future__ import annotations

import os
import queue
import resource
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from ops_project.pipeline.warehouse import masked, snapshots

BLOCK = 2_000
LOWEST_PRIORITY = 19
# The process may take this many times the engine's limit in further memory. The engine's limit covers only its buffers,
# and not Python's copy of a block, texts and threads.
ROOM = 2
STOP_SECONDS = 5.0
STOP_AGAIN_SECONDS = 0.1


class QuestionError(ValueError):
    """The query has no answer. The message says why, and what would be right."""


@dataclass(frozen=True)
class Limits:
    """The limits of a query."""

    seconds: float = 60.0
    """The time that the engine may take, in seconds. The time that the reader of the answer takes does not count."""
    memory_mb: int = 1_000

    @property
    def threads(self) -> int:
        """Half of the cores, at least one."""
        return max(1, (os.cpu_count() or 1) // 2)


@dataclass
class Answer:
    """The answer to a query: the unique names of its columns, and its rows in blocks."""

    columns: list[str]
    blocks: Iterator[list[tuple[Any, ...]]]
    masked: bool = False
    """Whether the query reads refused rows. Their raw text is then masked."""


@dataclass
class _Worker:
    """The thread that uses the engine."""

    snapshot: snapshots.Snapshot
    query: str
    limits: Limits
    shown_feeds: Collection[str] | None
    blocks: queue.Queue[Any] = field(default_factory=lambda: queue.Queue(maxsize=2))
    connection: duckdb.DuckDBPyConnection | None = None
    masked: bool = False
    stopped: bool = False

    def work(self) -> None:
        try:
            self._lower_priority()
            with self._opened() as connection:
                self.connection = connection
                if self.stopped:  # The query was stopped while the snapshot was being opened.
                    return
                result = connection.execute(_only_statement(connection, self.query))
                self._put(_unique([column[0] for column in result.description or ()]))
                while not self.stopped and (rows := result.fetchmany(BLOCK)):
                    self._put(rows)
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        memory, threads = f"{self.limits.memory_mb}MB", self.limits.threads
        if self.shown_feeds is not None:
            with snapshots.open(self.snapshot, memory, threads, explain="all") as connection:
                self.masked = masked.concerns(connection, _only_statement(connection, self.query))
            if self.masked:
                return masked.open(self.snapshot, memory, threads, self.shown_feeds)
        return snapshots.open(self.snapshot, memory, threads)

    def _put(self, item: Any) -> None:
        while not self.stopped:
            try:
                self.blocks.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def _lower_priority(self) -> None:
        if sys.platform == "linux":
            # This changes only the priority of this thread. The threads of the engine are started by this thread, and
            # inherit its priority.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)

    def stop(self, thread: threading.Thread) -> None:
        self.stopped = True
        # On a busy machine, a thread of the lowest priority might not end for a long time. So it gets the usual
        # priority again.
        if sys.platform == "linux" and thread.native_id is not None:
            with suppress(
                PermissionError, ProcessLookupError
            ):  # Only root may raise a priority, or the thread has already ended.
                os.setpriority(os.PRIO_PROCESS, thread.native_id, os.getpriority(os.PRIO_PROCESS, os.getpid()))
        if self.connection is not None:
            with suppress(duckdb.ConnectionException):  # The query has already ended.
                self.connection.interrupt()


@contextmanager
def ask(
    snapshot: snapshots.Snapshot, query: str, limits: Limits, shown_feeds: Collection[str] | None = ()
) -> Iterator[Answer]:
    """Run `query`. The raw text of refused rows is masked.

    `shown_feeds`: feeds whose raw text is shown, except for everything in it that looks like personal data. None shows
    all raw text as it is.

    Raises QuestionError if `query` is not one query, or exceeds a limit. Any other error of the engine is a
    duckdb.Error.
    """
    worker = _Worker(snapshot, query, limits, shown_feeds)
    thread = threading.Thread(target=worker.work, name="question", daemon=True)
    with _memory(limits.memory_mb * ROOM):
        thread.start()
        items = _items(worker, limits)
        try:
            yield Answer(next(items), items, worker.masked)
        finally:
            _end(worker, thread)


def _end(worker: _Worker, thread: threading.Thread) -> None:
    """Stop the query. The engine is interrupted again and again, because it forgets an interruption that comes between
    two statements. The engine must have stopped before this process ends. Otherwise the process would be aborted.
    """
    until = time.monotonic() + STOP_SECONDS
    while thread.is_alive() and time.monotonic() < until:
        worker.stop(thread)
        thread.join(STOP_AGAIN_SECONDS)


def _items(worker: _Worker, limits: Limits) -> Iterator[Any]:
    left = limits.seconds
    while True:
        began = time.monotonic()
        try:
            item = worker.blocks.get(timeout=max(0.001, left))
        except queue.Empty:
            raise QuestionError(
                f"the question took longer than {limits.seconds:g} s and was stopped; ask for less, or give it "
                "more time with --seconds"
            ) from None
        left -= time.monotonic() - began
        if item is None:
            return
        if isinstance(item, MemoryError | duckdb.OutOfMemoryException) or "bad_alloc" in str(item):
            raise QuestionError(
                f"the question needs more than {limits.memory_mb} MB of memory and was stopped; ask for less, or give "
                "it more with --memory-mb"
            ) from None
        if isinstance(item, BaseException):
            raise item
        yield item


def _only_statement(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    try:
        statements = connection.extract_statements(query)
    except UnicodeError as error:
        raise QuestionError(f"the question is not valid text: {error}") from None
    if not statements:
        raise QuestionError('the question is empty; write for example: ops sql "select count(*) from ops.batches"')
    if len(statements) > 1:
        raise QuestionError(
            f"these are {len(statements)} questions, and only the last would be shown: ask one at a time"
        )
    return statements[0]


def _unique(names: Sequence[str]) -> list[str]:
    """The names, each of them unique. The second `a` becomes `a_2`, so that no column hides another."""
    taken = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        found, number = name, 1
        while found in seen or (number > 1 and found in taken):
            number += 1
            found = f"{name}_{number}"
        seen.add(found)
        result.append(found)
    return result


@contextmanager
def _memory(megabytes: int) -> Iterator[None]:
    """Limit the memory of this process to the present amount and `megabytes` more. The system refuses anything above
    that. If the present amount is not known, there is no limit.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    used = _data_bytes()
    if used is None:
        yield
        return
    wanted = used + megabytes * 1_000_000
    ceilings = [limit for limit in (wanted, *before) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(ceilings), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int | None:
    """The bytes of memory that the system counts towards the limit now. None if the system does not report them. Only
    Linux does.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None
