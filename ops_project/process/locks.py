"""The writer lock of a home: one process at a time may write its warehouse.

The lock belongs to the operating system, because such a lock ends with its process: after SIGKILL nothing has to be
cleaned up. The content of the lock file is only for people who wait.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ops_project.json_file import read_record

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock, for messages and for `ops status`."""

    pid: int
    owner: str
    run: str | None
    since: str
    """When the process took the lock (ISO 8601, UTC)."""

    def __str__(self) -> str:
        run = f", run {self.run[:8]}" if self.run else ""
        return f"{self.owner} (pid {self.pid}{run}) since {self.since}"


class LockTimeout(TimeoutError):
    """The process did not get the lock in time. The message names the holder."""


@dataclass
class _Held:
    descriptor: int
    depth: int
    left: Holder | None = None


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


def _forget() -> None:
    """Closes the copies of the lock descriptors in a forked process, because it does not hold its parent's locks. The
    parent keeps them.
    """
    global _guard
    for held in _held.values():
        os.close(held.descriptor)
    _held.clear()
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_forget)


@contextmanager
def hold(
    path: Path,
    *,
    owner: str,
    now: datetime,
    run: str | None = None,
    timeout: float | None = None,
    on_wait: Callable[[Holder | None], None] | None = None,
) -> Iterator[None]:
    """Hold the lock within the block. A process that holds the lock may take it again.

    `on_wait`: called once, with the holder, if another process holds the lock.

    `timeout`: after so many seconds LockTimeout is raised. None: the call waits for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _guard:
        mine = _held.get(path)
        if mine is not None:
            mine.depth += 1
    if mine is None:
        descriptor = _acquire(path, timeout, on_wait)
        with _guard:
            # A process empties the file when it releases the lock. So content shows that the last holder died.
            mine = _held[path] = _Held(descriptor, 1, _read(path))
    try:
        if mine.depth == 1 or run is not None:
            _write(mine.descriptor, Holder(os.getpid(), owner, run, now.isoformat(timespec="seconds")))
        yield
    finally:
        with _guard:
            mine.depth -= 1
            if mine.depth == 0:
                del _held[path]
                os.ftruncate(mine.descriptor, 0)
                os.close(mine.descriptor)


def holder(path: Path) -> Holder | None:
    """The process that holds the lock now; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # A shared lock is granted only if no writer holds the lock. It is released at once.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return _read(path) or Holder(0, "an unknown process", None, "an unknown time")
    finally:
        os.close(descriptor)


def left(path: Path) -> Holder | None:
    """The process that ended while it held the lock; None if there is none, or if the lock is held again."""
    return _read(path) if holder(path) is None else None


@contextmanager
def unheld(path: Path) -> Iterator[bool]:
    """Yields True if no process holds the lock. Then no process can take the lock until the block ends.

    The check writes nothing, so it works in a read-only home. Use it only for a short time, because a process that
    wants the lock waits until the block ends.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def left_behind(path: Path) -> Holder | None:
    """The holder of the lock before this process, if that holder died without releasing the lock. Otherwise None. Call
    this only while this process holds the lock.
    """
    with _guard:
        mine = _held.get(path)
        return mine.left if mine is not None else None


def held_here(path: Path) -> bool:
    """Whether this process holds the lock."""
    with _guard:
        return path in _held


def _acquire(path: Path, timeout: float | None, on_wait: Callable[[Holder | None], None] | None) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    started, told = time.monotonic(), False
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            waited = time.monotonic() - started
            # A call of `holder` takes the lock for microseconds, so the wait for it is not reported.
            if on_wait is not None and not told and waited > 3 * POLL_SECONDS:
                told = True
                on_wait(_read(path))
            if timeout is not None and waited >= timeout:
                raise LockTimeout(f"waited {timeout:.0f} s for {path}, held by {_read(path) or 'an unknown process'}")
            time.sleep(POLL_SECONDS)
    except BaseException:
        os.close(descriptor)
        raise


def _write(descriptor: int, holder: Holder) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(holder)).encode() + b"\n", 0)


def _read(path: Path) -> Holder | None:
    try:
        return read_record(path, Holder)
    except (OSError, ValueError):
        return None
