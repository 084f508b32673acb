"""A change outside of any run is known until a snapshot has looked at every row."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from tests.empty_home import NOW

STAMP: dict[str, Any] = {"run_id": "run-1", "as_of": NOW, "commit": "c0ffee"}


@pytest.fixture
def hold(settings, platform):
    with writer(settings, platform, owner="test", now=NOW) as held:
        held.connection().execute("CREATE TABLE t AS SELECT 1 AS value")
        snapshots.take(held, **STAMP)
    return lambda: writer(settings, platform, owner="test", now=NOW)


@pytest.fixture
def by_hand(settings, hold):
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("UPDATE t SET value = 2")


def test_our_own_writers_leave_nothing_unseen(hold) -> None:
    for change in ("INSERT INTO t VALUES (2)", "SELECT 1"):
        with hold() as held:
            assert not held.changed_unseen
            held.connection().execute(change)


def test_a_writer_that_takes_no_snapshot_does_not_forget_the_change(hold, by_hand) -> None:
    for _ in range(2):
        with hold() as held:
            assert held.changed_unseen
    with hold() as held:
        snapshots.take(held, **STAMP)
    with hold() as held:
        assert not held.changed_unseen


def test_a_writer_that_fails_does_not_forget_the_change(hold, by_hand) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), hold():
        raise RuntimeError("in the middle")
    with hold() as held:
        assert held.changed_unseen


@pytest.mark.parametrize("note", [None, "", "{}", "[]", '{"changed_unseen": false}'])
def test_a_note_that_is_missing_or_unreadable_is_no_all_clear(settings, hold, note) -> None:
    """A home from before there were notes has no note."""
    file = settings.home / "state" / "warehouse-left.json"
    file.unlink()
    if note is not None:
        file.write_text(note)
    with hold() as held:
        assert held.changed_unseen
