"""Runs the observers with a time limit, so that an observer that hangs delays no other observer and no decision.

A look is one call of an observer. Each look runs in its own thread. The cycle waits for it for a while and then
continues. The result of a late look is stored in the cycle in which it arrives. After `hung_after`, the observer counts
as hung until its look returns, and a signal reports this. A thread cannot be ended from outside, so while a look has
not returned, no second one is started.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from queue import SimpleQueue

from ops_project.operations.alerting.observers.observer import Observation, Observer, View

PATIENCE_SECONDS = 10.0
"""How long a cycle waits for one look before it continues."""


class Hung(TimeoutError):
    """A look has taken longer than its observer allows, and has not returned."""


@dataclass
class _Look:
    observer: Observer
    began: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    seen: Observation | None = None
    error: BaseException | None = None


class _Worker:
    """A thread that runs looks. If it hangs, it is abandoned, and another one takes its place."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[tuple[_Look, View]] = SimpleQueue()
        threading.Thread(target=self._work, name="observer", daemon=True).start()

    def _work(self) -> None:
        while True:
            look, view = self.asked.get()
            try:
                look.seen = look.observer.look(view)
            except BaseException as error:  # The error is handed to the cycle, which reports it.
                look.error = error
            _idle.append(self)
            look.done.set()


_idle: list[_Worker] = []
_late: dict[tuple[str, str], _Look] = {}
"""(URL of the ledger, observer) → the look that this process has started and that has not returned."""


def _forget() -> None:
    """Forget the threads of the parent process, because a forked process does not have them. A look that is given to
    such a thread would never begin.
    """
    _idle.clear()
    _late.clear()


os.register_at_fork(after_in_child=_forget)


def begin_or_wait(observer: Observer, view: View, seconds: float) -> Observation | None:
    """The observer's result; None if it has not returned after `seconds` and is not hung yet. Raises the errors of the
    observer, and Hung.
    """
    key = (view.settings.ledger_url, observer.name)
    look = _late.pop(key, None)
    if look is None:
        look = _Look(observer)
        worker = _idle.pop() if _idle else _Worker()
        worker.asked.put((look, view))
        look.done.wait(seconds)
    # If the look was already late in an earlier cycle, it gets no further wait. Its result is taken if it has come.
    if not look.done.is_set():
        _late[key] = look
        waited = time.monotonic() - look.began
        if waited >= observer.hung_after.total_seconds():
            raise Hung(f"it has not returned for {waited:.0f} s")
        return None
    if look.error is not None:
        raise look.error
    return look.seen


def is_late(url: str, observer: Observer) -> bool:
    """Whether a look of this observer, started by this process, has not returned."""
    return (url, observer.name) in _late
