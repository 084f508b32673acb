"""Sessions of listening, and the two limits that hold for errors. No figure of gold is made from these tables of
silver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.dbt.macros import variable
from tests.numbers.oracle.archive import Archive, Row, moment_of, newest
from tests.numbers.oracle.compare import Table

SILENCE = timedelta(minutes=variable("stream_session_minutes"))
RATE_WINDOW = timedelta(minutes=variable("stream_error_minutes"))
REFERENCE_WINDOW = timedelta(minutes=variable("stream_reference_minutes"))


def sessions(streams: list[Row]) -> Table:
    """Sessions for each user and day. A new session starts with a stream that begins more than 30 minutes after the end
    of all earlier streams.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    ordered = sorted(streams, key=lambda row: (row.moment("listened_at"), int(row.known("stream_id"))))
    for who in {(row.day("listened_at"), row.known("user_id")) for row in ordered}:
        open_session: list[Row] = []
        number = 0
        for row in [row for row in ordered if (row.day("listened_at"), row.known("user_id")) == who]:
            if not open_session or row.moment("listened_at") > max(map(end, open_session)) + SILENCE:
                # Silence counts from the end of everything that was heard on the day.
                number += 1
            open_session.append(row)
            said = rows.setdefault((*who, number), {"of": []})
            said["of"].append(row)
    return Table(
        ("business_date", "user_id", "session_number"),
        {key: session(said["of"]) for key, said in rows.items()},
        schema="silver",
    )


def end(row: Row) -> datetime:
    return row.moment("listened_at") + timedelta(seconds=int(row.known("listen_seconds")))


def session(of: list[Row]) -> dict[str, Any]:
    return {
        "started_at": min(row.moment("listened_at") for row in of),
        "ended_at": max(map(end, of)),
        "streams": len(of),
        "songs": len({row.known("song_id") for row in of}),
        "listening_seconds": sum(int(row.known("listen_seconds")) for row in of),
    }


@dataclass(frozen=True)
class Event:
    """A stream. It violates a reference if it names a song or a user that is not known on its day."""

    day: date
    listened: datetime | None
    """None if the time of a refused stream cannot be read. It counts on the date of its file."""
    loaded: datetime
    violates: bool
    is_refused: bool = False

    @property
    def is_error(self) -> bool:
        return self.violates or self.is_refused


@dataclass(frozen=True)
class Window:
    """The window (end − length, end], and the events in it."""

    end: datetime
    events: int
    errors: int


def validation(archive: Archive, valid: set[int]) -> Table:
    """`valid`: the identities of the rows that name a song and a user."""
    found = newest(archive.rows("streams"), lambda row: int(row.known("stream_id"))).values()
    events = [
        Event(row.day("listened_at"), row.moment("listened_at"), row.file.loaded_at, id(row) not in valid)
        for row in found
    ]
    for row in [row for rows in archive.refused.values() for row in rows]:
        listened = moment_of(row)
        day = listened.date() if listened else row.file.day
        events.append(Event(day, listened, row.file.loaded_at, violates=False, is_refused=True))
    clocks: dict[str, Callable[[Event], datetime | None]] = {"event": lambda e: e.listened, "load": lambda e: e.loaded}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for clock, moment in clocks.items():
        timed = [(at, event) for event in events if (at := moment(event)) is not None]
        rates = list(windows([(at, event.is_error) for at, event in timed], RATE_WINDOW))
        references = list(windows([(at, event.violates) for at, event in timed], REFERENCE_WINDOW))
        for day in {event.day for event in events}:
            mine = [event for event in events if event.day == day]
            wrong = [event for event in mine if event.is_error]
            rate = worst(
                [window for window in concerned(rates, clock, day, wrong, RATE_WINDOW) if window.events],
                lambda window: (Fraction(window.errors, window.events), window.errors),
            )
            reference = worst(concerned(references, clock, day, wrong, REFERENCE_WINDOW), lambda window: window.errors)
            rows[day, clock] = {
                "events": len(mine),
                "refused": sum(event.is_refused for event in mine),
                "reference_violations": sum(event.violates for event in mine),
                "worst_error_rate": rate.errors / rate.events if rate else 0,
                "worst_error_window_errors": rate.errors if rate else 0,
                "worst_error_window_events": rate.events if rate else 0,
                "worst_error_window_end": rate and rate.end,
                "worst_reference_violations": reference.errors if reference else 0,
                "worst_reference_window_end": reference and reference.end,
                "is_error_rate_within": not rate or 100 * rate.errors <= variable("stream_error_percent") * rate.events,
                "is_reference_within": not reference or reference.errors <= variable("stream_reference_limit"),
            }
    return Table(("business_date", "clock"), rows, schema="silver")


def windows(events: list[tuple[datetime, bool]], length: timedelta) -> Iterator[Window]:
    """One window for each moment at which an event enters or leaves. `events`: the time of each event, and whether the
    event counts as an error.
    """
    times = {time for time, _ in events}
    for at in times | {time + length for time in times}:
        inside = [is_error for time, is_error in events if at - length < time <= at]
        yield Window(at, len(inside), sum(inside))


def concerned(found: list[Window], clock: str, day: date, wrong: list[Event], length: timedelta) -> list[Window]:
    """The windows that belong to a day. By the time of listening, these are the windows that end on it. By the time of
    loading, they are the windows into which the day brought errors.
    """
    if clock == "event":
        return [window for window in found if window.end.date() == day]
    return [window for window in found if any(window.end - length < event.loaded <= window.end for event in wrong)]


def worst(found: list[Window], measure: Callable[[Window], Any]) -> Window | None:
    """The worst window; if several are equal, the first of them."""
    return max(found, key=lambda window: (measure(window), -window.end.timestamp()), default=None)
