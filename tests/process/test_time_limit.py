"""A question that is never answered costs its time limit once, and the next question about the same subject costs no
time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ops_project.process.time_limit import NotAnswered, within


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """A question that hangs until the test ends: a call waits for this event."""
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_and_an_error_are_those_of_the_question() -> None:
    assert within("a share", lambda: 7, 5.0) == 7

    def refuse() -> int:
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(ConnectionRefusedError, match="nobody listens"):
        within("a share", refuse, 5.0)


def test_a_time_out_of_the_question_itself_is_an_answer() -> None:
    def time_out() -> int:
        raise TimeoutError("the server timed out")

    with pytest.raises(TimeoutError, match="the server timed out") as caught:
        within("a server", time_out, 5.0)
    assert not isinstance(caught.value, NotAnswered)


def test_while_one_hangs_nobody_asks_again_about_its_subject(hung: threading.Event) -> None:
    asked: list[str] = []

    def ask(subject: str) -> bool:
        asked.append(subject)
        return hung.wait(60) if subject == "hanging share" else True

    with pytest.raises(NotAnswered, match=r"hanging share has not answered for 0\.05 s"):
        within("hanging share", lambda: ask("hanging share"), 0.05)
    began = time.monotonic()
    with pytest.raises(NotAnswered, match="hanging share has not answered an earlier question"):
        within("hanging share", lambda: ask("hanging share"), 60)
    assert time.monotonic() - began < 30
    assert within("another share", lambda: ask("another share"), 5.0)
    assert asked == ["hanging share", "another share"]
    hung.set()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            assert within("hanging share", lambda: ask("hanging share"), 5.0)
            break
        except NotAnswered:  # The thread of the first question is about to end.
            time.sleep(0.01)
    assert asked[-1] == "hanging share" and len(asked) == 3
