"""Keeps answers of the ledger in memory until something is written, within a cycle and from one cycle to the next. An
idle cycle asks about thirty small questions, and most answers are the same as five seconds before.

Every transaction that writes leaves a new mark in the ledger. An answer is valid as long as the mark is the same. A
cycle reads the mark together with the cursors, and reads both again after each write of its own process. Outside of a
cycle no answer is kept. This class does not know what a question means. If an answer depends on the time, the caller
must make the time a part of the question.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, cast

Value = TypeVar("Value")
MARK = "written"
"""The cursor that holds the mark. It changes with every transaction that writes more than a heartbeat."""
KEPT_SECONDS = 300.0
"""No answer is kept for longer than this. A process of an earlier version, or a person with an SQL shell, writes
without leaving a mark.
"""


class Answers:
    """The answers that one open ledger has given. Several threads may use the object."""

    def __init__(self, read_cursors: Callable[[], Mapping[str, str]], clock: Callable[[], float] = time.monotonic):
        self._read_cursors, self._clock = read_cursors, clock
        self._lock = threading.Lock()
        self._cycles = 0
        self._writes = 0
        self._cursors: Mapping[str, str] | None = None
        self._kept: dict[Hashable, object] = {}
        self._mark, self._since = "", clock()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep answers within this block. The cursors are read again at its beginning."""
        with self._lock:
            self._cycles += 1
            self._cursors = None
        try:
            yield
        finally:
            with self._lock:
                self._cycles -= 1

    def forget_cursors(self) -> None:
        """Let the cursors be read again. Must be called after every commit of this process."""
        with self._lock:
            self._writes += 1
            self._cursors = None

    def cursors(self) -> Mapping[str, str]:
        """Every cursor by its name."""
        with self._lock:
            if self._cycles and self._cursors is not None:
                return self._cursors
            writes = self._writes
        found = self._read_cursors()
        with self._lock:
            # If another thread has committed in the meantime, these cursors may be older than its commit. So they are
            # not kept.
            if writes == self._writes:
                self._cursors = found
                self._let_go_of_old(found.get(MARK, ""))
        return found

    def ask(self, question: Hashable, ask: Callable[[], Value]) -> Value:
        """The kept answer. If there is none, `ask` is called for it. The caller must not change the answer."""
        if not self._cycles:
            return ask()
        mark = self.cursors().get(MARK, "")
        with self._lock:
            if self._mark == mark and question in self._kept:
                return cast(Value, self._kept[question])
        found = ask()
        with self._lock:
            # The mark was read before the answer. So an answer may be newer than its mark, and is then read once more
            # than necessary, but it is never older.
            if self._mark == mark:
                self._kept[question] = found
        return found

    def _let_go_of_old(self, mark: str) -> None:
        now = self._clock()
        if mark != self._mark or now - self._since > KEPT_SECONDS:
            self._kept, self._mark, self._since = {}, mark, now
