from __future__ import annotations

import io
import sys
import threading
import time

import pytest

from ops_project.process.watchdog import Overrun, Watchdog


def dog(**more) -> tuple[Watchdog, list[str]]:
    heard: list[str] = []
    return (
        Watchdog(
            interrupt=lambda: heard.append("interrupt"),
            on_overrun=lambda overrun: heard.append(str(overrun)),
            last_words=lambda _overrun: heard.append("last words"),
            end=lambda: heard.append("end"),
            **more,
        ),
        heard,
    )


def test_what_keeps_its_limits_hears_nothing() -> None:
    watchdog, heard = dog()
    with watchdog.armed("run", 10), watchdog.limit("step", 5):
        time.sleep(0.05)
    time.sleep(0.05)
    assert heard == [] and watchdog.overrun is None


def test_the_nearest_limit_counts_and_is_named() -> None:
    watchdog, heard = dog(grace_seconds=5)
    with watchdog.armed("run", 10), watchdog.limit("landing orders", 0.05):
        time.sleep(0.3)
    assert heard == ["landing orders ran longer than its limit of 0.05 s", "interrupt"]
    assert isinstance(watchdog.overrun, Overrun)


def test_what_does_not_stop_is_ended_after_its_grace() -> None:
    watchdog, heard = dog(grace_seconds=0.1)
    with watchdog.armed("run", 0.05):
        time.sleep(0.6)
    assert heard[1:] == ["interrupt", "last words", "end"]


def test_a_limit_that_ended_is_forgotten_while_another_begins() -> None:
    watchdog, heard = dog()
    with watchdog.armed("run", 10):
        for _ in range(20):
            with watchdog.limit("step", 0.2):
                time.sleep(0.02)
    assert heard == []
    deadline = time.monotonic() + 2
    while any(thread.name == "watchdog" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(thread.name == "watchdog" for thread in threading.enumerate()), "its thread ends with the run"


def test_a_limit_that_was_overrun_and_kept_ends_nothing_that_comes_after():
    ended, asked = [], []
    watchdog = Watchdog(interrupt=lambda: asked.append(1), end=lambda: ended.append(1), grace_seconds=0.2)
    with watchdog.armed("run", 60):
        with watchdog.limit("first", 0.01):
            time.sleep(0.1)
        with watchdog.limit("second", 60):
            time.sleep(0.4)
    assert len(asked) == 1 and ended == []


@pytest.mark.parametrize(
    "stream", [io.StringIO(), None, object()], ids=["in memory", "closed at the start", "any object"]
)
@pytest.mark.parametrize("original_is_there", [True, False])
def test_a_process_without_a_file_for_its_errors_is_watched_as_well(
    monkeypatch: pytest.MonkeyPatch, stream: object, original_is_there: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    if not original_is_there:
        monkeypatch.setattr(sys, "__stderr__", None)
    watchdog, heard = dog(grace_seconds=5)
    with watchdog.armed("run", 0.05):
        time.sleep(0.2)
    assert heard == ["run ran longer than its limit of 0.05 s", "interrupt"]
