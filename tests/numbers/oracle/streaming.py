"""Listening by genre and song, from the files of streams and of the two catalogues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.numbers.oracle import listening
from tests.numbers.oracle.archive import Archive, Row, newest
from tests.numbers.oracle.compare import Table, ratio


def tables(archive: Archive) -> dict[str, Table]:
    streams = [
        (row.day("listened_at"), song, row)
        for row in newest(archive.rows("streams"), lambda row: int(row.known("stream_id"))).values()
        if (song := entry(archive, "songs", row.known("song_id"), row.day("listened_at"))) is not None
        and entry(archive, "users", row.known("user_id"), row.day("listened_at")) is not None
    ]
    genres = genre_days(streams)
    return {
        "kpi_genre_daily": Table(("business_date", "genre"), genres),
        "kpi_top_genres": top_genres(genres),
        "kpi_top_songs": top_songs(streams),
        "fact_listening_sessions": listening.sessions([row for _, _, row in streams]),
        "rec_stream_validation": listening.validation(archive, {id(row) for _, _, row in streams}),
    }


Stream = tuple[date, Row, Row]


def entry(archive: Archive, feed: str, key: str, day: date) -> Row | None:
    """The catalogue's entry for `key` on `day`: from the newest extract up to then that contains it, because an
    entry that an extract lacks is kept. The first extract of the catalogue also counts for the days before it.
    """
    column = "song_id" if feed == "songs" else "user_id"
    first = min(archive.days(feed), default=None)
    said = [row for row in archive.rows(feed) if row.known(column) == key]
    before = [row for row in said if row.file.day <= day] or [row for row in said if row.file.day == first]
    return max(before, key=lambda row: (row.file.place, row.line), default=None)


def genre_days(streams: list[Stream]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for key, of_it in grouped(streams, lambda stream: (stream[0], stream[1].known("genre"))).items():
        seconds = total(of_it)
        found[key] = {
            "listens": len(of_it),
            "unique_listeners": len({row.known("user_id") for _, _, row in of_it}),
            "total_listening_seconds": seconds,
            "mean_listening_seconds": ratio(seconds, len(of_it)),
        }
    return found


def top_genres(genres: dict[tuple[Any, ...], dict[str, Any]]) -> Table:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for day in {day for day, _ in genres}:
        best = sorted(
            (-figures["listens"], -figures["total_listening_seconds"], genre)
            for (of_day, genre), figures in genres.items()
            if of_day == day
        )
        for rank, (_, _, genre) in enumerate(best[:5], start=1):
            figures = dict(genres[day, genre])
            del figures["mean_listening_seconds"]
            rows[day, rank] = {"genre": genre, **figures}
    return Table(("business_date", "genre_rank"), rows)


def top_songs(streams: list[Stream]) -> Table:
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    songs = grouped(streams, lambda stream: (stream[0], stream[1].known("genre"), stream[1].known("song_id")))
    for day, genre in {(day, genre) for day, genre, _ in songs}:
        best = sorted(
            (-len(of_it), -total(of_it), song) for (on, of, song), of_it in songs.items() if (on, of) == (day, genre)
        )
        for rank, (listens, seconds, song) in enumerate(best[:3], start=1):
            of_the_day = songs[day, genre, song][0][1]
            rows[day, genre, rank] = {
                "song_id": song,
                "title": of_the_day.text("title"),
                "artist": of_the_day.text("artist"),
                "listens": -listens,
                "total_listening_seconds": -seconds,
            }
    return Table(("business_date", "genre", "song_rank"), rows)


def total(streams: list[Stream]) -> int:
    return sum(int(row.known("listen_seconds")) for _, _, row in streams)


def grouped(streams: list[Stream], by: Callable[[Stream], tuple[Any, ...]]) -> dict[tuple[Any, ...], list[Stream]]:
    found: dict[tuple[Any, ...], list[Stream]] = {}
    for stream in streams:
        found.setdefault(by(stream), []).append(stream)
    return found
