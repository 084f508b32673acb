"""Limits how long a caller waits for a call that may never return: a network share may hang, a server may have stopped
without closing its connections, the look-up of an address may not end. Such a call cannot be stopped. So the call runs
in a thread, and after the time limit the caller no longer waits for this thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
_waiting: dict[str, threading.Thread] = {}
"""Subject → the thread that has not returned. While this thread hangs, no other call about the subject begins."""


class NotAnswered(TimeoutError):
    """The call has not returned within the time limit."""


def within(subject: str, ask: Callable[[], Answer], seconds: float) -> Answer:
    """The result of `ask`. Raises the errors of `ask`.

    Raises NotAnswered if `ask` has not returned after `seconds`, or if an earlier call about the same `subject` has not
    returned yet.
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
