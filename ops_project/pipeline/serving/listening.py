"""Loads listening KPIs into the serving store: the KPIs of each genre and day, and the top lists of a day. Only days
whose validation passed are loaded. A day that failed keeps its earlier items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from ops_project.pipeline.serving.store import Item, LoadResult, Store, Throttled

TABLE = "listening-kpis"
DAY = "day"
"""The partition key of the item for a whole day. The partition key of a genre is `genre#<genre>`."""


@dataclass
class Served:
    """The result of a load of several days."""

    days: list[date] = field(default_factory=list)
    refused: dict[date, str] = field(default_factory=dict)
    """Days that were not loaded → the reason."""
    written: int = 0
    deleted: int = 0
    unchanged: int = 0
    throttled_requests: int = 0

    def add(self, day: date, result: LoadResult) -> None:
        self.days.append(day)
        self.written += result.written
        self.deleted += result.deleted
        self.unchanged += result.unchanged
        self.throttled_requests += result.throttled_requests


def days_to_serve(connection: duckdb.DuckDBPyConnection, store: Store) -> list[date]:
    """Days of the KPIs that are not in the store, or that were rebuilt after they were loaded into the store."""
    rows = connection.execute(
        "select business_date, max(metric_updated_at)::varchar from gold.kpi_genre_daily group by 1 order by 1"
    ).fetchall()
    return [day for day, built in rows if (store.get(DAY, day.isoformat()) or {}).get("built_at") != built]


def serve(connection: duckdb.DuckDBPyConnection, store: Store, days: Sequence[date]) -> Served:
    """Load these days. All items of a day are replaced, so a repeated call changes nothing. Raises Throttled if the
    store still refuses a request after all retries. The error counts the refused requests of all days.
    """
    served = Served()
    for day in days:
        reason = _refusal(connection, day)
        if reason:
            served.refused[day] = reason
            continue
        try:
            served.add(day, store.replace(day.isoformat(), items_of(connection, day)))
        except Throttled as error:
            raise Throttled(f"{day}: {error}", served.throttled_requests + error.throttled_requests) from error
    return served


def _refusal(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    rows = connection.execute(
        "select clock, is_error_rate_within, is_reference_within from silver.rec_stream_validation"
        " where business_date = ? order by clock",
        [day],
    ).fetchall()
    if not rows:
        return "its validation has not run"
    failed = [f"error rate ({clock} time)" for clock, rate, _ in rows if not rate]
    failed += [f"reference integrity ({clock} time)" for clock, _, references in rows if not references]
    return f"validation failed: {', '.join(failed)}" if failed else ""


def items_of(connection: duckdb.DuckDBPyConnection, day: date) -> Iterator[Item]:
    """Every item of a day."""
    sort = day.isoformat()
    songs: dict[str, list[dict[str, Any]]] = {}
    for genre, *song in connection.execute(
        "select genre, song_rank, song_id, title, artist, listens from gold.kpi_top_songs"
        " where business_date = ? order by genre, song_rank",
        [day],
    ).fetchall():
        named = dict(zip(("rank", "song_id", "title", "artist", "listens"), song, strict=True))
        songs.setdefault(genre, []).append(named)
    built = None
    listens = seconds = 0
    for genre, count, listeners, total, mean, updated in connection.execute(
        "select genre, listens, unique_listeners, total_listening_seconds, mean_listening_seconds,"
        " metric_updated_at::varchar from gold.kpi_genre_daily where business_date = ? order by genre",
        [day],
    ).fetchall():
        built = max(built or updated, updated)
        listens, seconds = listens + count, seconds + total
        yield Item(
            f"genre#{genre}",
            sort,
            {
                "listens": count,
                "unique_listeners": listeners,
                "total_listening_seconds": total,
                "mean_listening_seconds": mean,
                "top_songs": songs.get(genre, []),
            },
        )
    top = connection.execute(
        "select genre_rank, genre, listens from gold.kpi_top_genres where business_date = ? order by genre_rank", [day]
    ).fetchall()
    yield Item(
        DAY,
        sort,
        {
            "built_at": built,
            "listens": listens,
            "total_listening_seconds": seconds,
            "top_genres": [dict(zip(("rank", "genre", "listens"), row, strict=True)) for row in top],
        },
    )
