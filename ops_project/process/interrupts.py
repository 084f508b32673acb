"""Finds out whether Ctrl-C was pressed in this process, whichever code handled the signal.

Dagster installs a handler of its own during a run. DuckDB and dbt turn the interruption into errors of their own. But
Python writes every signal to a file descriptor before it calls a handler, and this module reads that descriptor.
SIGTERM does not count, because the watchdog sends it to runs that take too long.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

READ_BYTES = 4096


@dataclass
class _State:
    descriptor: int | None = None
    pressed: bool = False


_state = _State()


@contextmanager
def watching() -> Iterator[None]:
    """Listen for Ctrl-C within the block. Only the main thread can do this. In another thread Ctrl-C is never seen."""
    _state.pressed = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _state.descriptor = reader
    try:
        yield
    finally:
        pressed()
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)
        _state.descriptor = None
        os.close(reader)
        os.close(writer)


def pressed() -> bool:
    """Whether Ctrl-C was pressed since `watching` began."""
    if _state.descriptor is not None:
        with suppress(BlockingIOError):
            _state.pressed |= signal.SIGINT in os.read(_state.descriptor, READ_BYTES)
    return _state.pressed
