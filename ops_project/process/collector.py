"""Python's search for cycles of garbage, held up while many small objects are made that have no cycles.

Without this the search looked at every signal of a backlog several times, which took a fifth of a drain. Objects
without cycles are freed by their reference counts as ever.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_up() -> Iterator[None]:
    """No search within this block, in any thread. For seconds, not for minutes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
