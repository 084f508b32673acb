"""Ctrl-C is noticed whichever code has the handler. SIGTERM, with which a watchdog stops a run, is not counted."""

from __future__ import annotations

import signal
import threading

from ops_project.process import interrupts


def test_ctrl_c_is_noticed_under_any_handler() -> None:
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with interrupts.watching():
            assert not interrupts.pressed()
            signal.raise_signal(signal.SIGINT)
            assert interrupts.pressed()
            assert interrupts.pressed()
        with interrupts.watching():
            assert not interrupts.pressed()
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_is_not_ctrl_c() -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with interrupts.watching():
            signal.raise_signal(signal.SIGTERM)
            assert not interrupts.pressed()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_nothing_is_pressed() -> None:
    seen: list[bool] = []

    def work() -> None:
        with interrupts.watching():
            seen.append(interrupts.pressed())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
