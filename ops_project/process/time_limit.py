"""Asks a question that may never be answered. A network share may hang, a server may have stopped without closing its
connections, and the look-up of an address may not return. Such a call can be neither ended nor limited in time. So the
call runs in a thread. After the time limit the caller does not wait for this thread any longer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
_waiting: dict[str, threading.Thread] = {}
"""Subject → the thread that has not returned. While this thread hangs, no other question about its subject is asked."""


class NotAnswered(TimeoutError):
    """The answer has not come within the time limit."""


def within(subject: str, ask: Callable[[], Answer], seconds: float) -> Answer:
    """The answer of `ask`. Raises NotAnswered if it has not come after `seconds`, or if an earlier question about the
    same `subject` has not been answered yet. Raises the errors of `ask`.
    """
    earlier = _waiting.get(subject)
    if earlier is not None and earlier.is_alive():
        raise NotAnswered(f"{subject} has not answered an earlier question")
    found: list[Answer] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            found.append(ask())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name=f"asks {subject}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _waiting[subject] = thread
        raise NotAnswered(f"{subject} has not answered for {seconds:g} s")
    _waiting.pop(subject, None)
    if errors:
        raise errors[0]
    return found[0]
