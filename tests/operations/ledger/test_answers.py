"""Answers are kept within a cycle while no process writes, and are never kept after a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from ops_project import catalog
from ops_project.model.alerting.matcher import Matcher
from ops_project.model.alerting.signal import FIRING, Signal
from ops_project.operations.alerting.cycle import run_once
from ops_project.operations.ledger import Ledger
from ops_project.operations.ledger.answers import KEPT_SECONDS, MARK, Answers
from ops_project.settings import Settings

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Store:
    """A store of one document, and how often it was asked."""

    def __init__(self) -> None:
        self.mark, self.value, self.asked, self.seconds = "a", 1, 0, 0.0
        self.answers = Answers(lambda: {MARK: self.mark}, lambda: self.seconds)

    def ask(self) -> int:
        self.asked += 1
        return self.value

    def answer(self) -> int:
        return self.answers.ask("value", self.ask)


def test_outside_of_a_cycle_every_question_is_asked():
    store = Store()
    assert [store.answer(), store.answer()] == [1, 1]
    assert store.asked == 2


def test_an_answer_is_kept_over_cycles_until_another_process_writes():
    store = Store()
    for _ in range(3):
        with store.answers.keeping():
            assert store.answer() == 1
    assert store.asked == 1
    store.mark, store.value = "b", 2
    with store.answers.keeping():
        assert store.answer() == 2


def test_a_write_of_this_process_counts_at_once():
    store = Store()
    with store.answers.keeping():
        assert store.answer() == 1
        store.mark, store.value = "b", 2
        store.answers.forget_cursors()
        assert store.answer() == 2


def test_a_write_between_the_mark_and_the_answer_is_not_hidden_by_the_kept_answer():
    store = Store()

    def ask_while_somebody_writes() -> int:
        store.mark, store.value = "b", 2
        store.answers.forget_cursors()
        store.answers.cursors()
        return 1

    with store.answers.keeping():
        assert store.answers.ask("value", ask_while_somebody_writes) == 1
        assert store.answer() == 2


def test_nothing_is_kept_for_longer_than_a_few_minutes_also_where_no_mark_was_left():
    store = Store()
    with store.answers.keeping():
        store.answer()
    store.value, store.seconds = 2, KEPT_SECONDS + 1
    with store.answers.keeping():
        assert store.answer() == 2


@pytest.fixture
def home(tmp_path):
    return Settings.load(home=tmp_path / "home")


def _failure(n: int) -> Signal:
    return Signal("run.failure", FIRING, NOW, NOW, str(n), 1.0, pipeline=f"p{n}", labels={"scheduled": "true"})


def test_what_another_process_says_is_heard_in_the_next_cycle(home):
    loaded = catalog.load(home)
    with Ledger.open(home.ledger_url) as other:
        other.append([_failure(1)])
        for minute in (0, 1):
            run_once(home, loaded, NOW + timedelta(minutes=minute), observers=())
        alert = other.alerts("open")[0].number
        other.add_silence(
            (Matcher.parse('pipeline="p1"'),),
            starts_at=NOW,
            ends_at=NOW + timedelta(hours=1),
            owner="engineer-a",
            reason="known",
            now=NOW,
        )
        run_once(home, loaded, NOW + timedelta(minutes=2), observers=())
        assert other.alerts("open")[0].muted == "silenced"
        run_once(home, loaded, NOW + timedelta(minutes=61), observers=())
        assert other.alerts("open")[0].muted == "", "a silence that was read before has ended meanwhile"
        other.resolve(alert, "engineer-a", "repaired", NOW + timedelta(minutes=62))
        run_once(home, loaded, NOW + timedelta(minutes=62), observers=())
        assert other.alerts("open") == []


def test_an_idle_cycle_asks_the_store_a_handful_of_questions(home):
    """A cycle used to ask 32 questions, each in a transaction of its own."""
    loaded = catalog.load(home)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    from ops_project.operations.ledger import open_ledger

    ledger = open_ledger(home)
    for second in (0, 5, 10):
        run_once(home, loaded, NOW + timedelta(seconds=second), observers=(), role="daemon")
    event.listen(ledger.engine, "before_cursor_execute", note)
    try:
        run_once(home, loaded, NOW + timedelta(seconds=15), observers=(), role="daemon")
    finally:
        event.remove(ledger.engine, "before_cursor_execute", note)
    assert len(statements) <= 14, statements
    assert sum(s.startswith("BEGIN") for s in statements) <= 5, statements
