"""Dagster's event log is read once: on SQLite nothing is read a second time at the next look. A log that took the place
of another one is read from its beginning.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from dagster import AssetCheckEvaluation, AssetKey
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from ops_project.dagster_bridge.storage import EventLog
from ops_project.lineage import Lineage
from ops_project.operations.alerting.dagster import events
from ops_project.operations.alerting.observers import events as observer
from ops_project.operations.alerting.observers.observer import View
from ops_project.operations.ledger import Ledger
from ops_project.settings import Settings
from tests.operations.ledger.test_ledger import NOW


def _entry(n: int) -> EventLogEntry:
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=f"{n % 3:032d}",
        timestamp=NOW.timestamp() + n,
        dagster_event=DagsterEvent(event_type_value=DagsterEventType.RUN_START.value, job_name="job", message=str(n)),
    )


@pytest.mark.parametrize("storage", [EventLog, SqliteEventLogStorage])
def test_an_idle_look_reads_nothing_again(tmp_path, storage):
    log = storage(str(tmp_path))
    for n in range(60):
        log.store_event(_entry(n))
    instance = SimpleNamespace(event_log_storage=log)
    first = events.read(instance, 0, NOW, Lineage())
    again = events.read(instance, first.cursor, NOW, Lineage())
    log.dispose()
    assert (first.read, again.read, again.cursor) == (60, 0, first.cursor)


def _checked(n: int, at: float, passed: bool) -> EventLogEntry:
    return EventLogEntry(
        error_info=None,
        level=20,
        user_message="",
        run_id=f"{n:032d}",
        timestamp=at,
        dagster_event=DagsterEvent(
            event_type_value=DagsterEventType.ASSET_CHECK_EVALUATION.value,
            job_name="job",
            event_specific_data=AssetCheckEvaluation(
                asset_key=AssetKey(["gold", "sales"]), check_name="positive", passed=passed, metadata={}
            ),
        ),
    )


class Place:
    """A log in a folder, and a ledger that remembers how far it was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        self.log = EventLog(str(folder / "log"))

    def happens(self, *checks: tuple[float, bool]) -> None:
        for n, (at, passed) in enumerate(checks):
            self.log.store_event(_checked(n, NOW.timestamp() + at, passed))

    def replaced(self, copy: Path | None = None) -> None:
        """The log is lost, and a copy of it, or a new one, takes its place."""
        self.log.dispose()
        shutil.rmtree(self.folder / "log")
        if copy is not None:
            shutil.copytree(copy, self.folder / "log")
        self.log = EventLog(str(self.folder / "log"))

    def seen(self) -> list[float]:
        """Look once. Returns when the check results that are new to the ledger happened, in seconds after NOW."""
        before = max((number for number, _ in self.ledger.signals_after(0, 1_000)), default=0)
        view = View(
            settings=Settings(home=self.folder),
            catalog=None,  # type: ignore[arg-type]  # this observer does not ask it
            ledger=self.ledger,
            lineage=Lineage(),
            cursors=self.ledger.cursors(),
            now=NOW,
            instance=SimpleNamespace(event_log_storage=self.log),
        )
        found = observer.look(view)
        self.ledger.append(found.signals, found.cursors, NOW)
        after = [signal for _, signal in self.ledger.signals_after(before, 1_000)]
        return [(signal.event_at - NOW).total_seconds() for signal in after if signal.kind == "check.failure"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.log.dispose()
    found.ledger.close()


@pytest.mark.parametrize("events_of_the_new_one", [1, 2, 3, 5])
def test_a_new_log_in_the_place_of_a_lost_one_is_read_from_its_beginning(
    place: Place, events_of_the_new_one: int
) -> None:
    """The events of the new log have the same numbers as the events of the lost log."""
    place.happens((1, True), (2, False), (3, True))
    assert place.seen() == [1, 2, 3] and place.seen() == []
    place.replaced()
    assert place.seen() == []
    new = [10.0 + n for n in range(events_of_the_new_one)]
    place.happens(*((at, False) for at in new))
    assert place.seen() == new and place.seen() == []
    place.happens((30, True))
    assert place.seen() == [30]


def test_a_new_log_that_nobody_looked_at_before_it_had_more_events_than_the_lost_one(place: Place) -> None:
    place.happens((1, True), (2, False))
    assert place.seen() == [1, 2]
    place.replaced()
    place.happens((10, False), (11, True), (12, False))
    assert place.seen() == [10, 11, 12]


def test_what_was_read_before_is_not_told_again_by_an_older_copy(place: Place, tmp_path: Path) -> None:
    place.happens((1, True), (2, False))
    place.log.dispose()
    shutil.copytree(tmp_path / "log", tmp_path / "copy")
    place.happens((3, True))
    assert place.seen() == [1, 2, 3]
    place.replaced(tmp_path / "copy")
    assert place.seen() == []
    place.happens((20, False))
    assert place.seen() == [20]


def test_a_ledger_of_an_earlier_version_knows_the_log_by_its_length(place: Place) -> None:
    place.happens((1, True), (2, False), (3, False))
    assert place.seen() == [1, 2, 3]
    place.ledger.append([], {events.LOG: ""}, NOW)
    assert place.seen() == []
    place.ledger.append([], {events.LOG: ""}, NOW)
    place.replaced()
    place.happens((10, False))
    assert place.seen() == [10]
