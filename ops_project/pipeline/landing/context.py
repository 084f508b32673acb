"""What one call of `land` works with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.result import LandingResult


@dataclass
class Context:
    """Connection, contract, folders and clock; and the result that is being gathered."""

    connection: duckdb.DuckDBPyConnection
    feed: Feed
    inbound: Path
    archive: Path
    now: datetime
    run_id: str | None
    result: LandingResult = field(init=False)
    known_since: date | None = field(init=False)
    """First business date that the feed had before this call; None where this is its first load."""
    own_times: bool = False
    """The arrival times of the files are the source's own (operations/arrival.py)."""
    asked_for: bool = False
    """Somebody named the dates to land."""

    def __post_init__(self) -> None:
        self.result = LandingResult(self.feed.name)
        [[self.known_since]] = self.rows("SELECT min(business_date) FROM ops.batches WHERE feed = ?", [self.feed.name])

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self.connection.execute(sql, parameters or []).fetchall()

    def count(self, sql: str, parameters: list[Any] | None = None) -> int:
        """The one number that a statement gives."""
        return int(self.rows(sql, parameters)[0][0] or 0)


@dataclass(frozen=True)
class Taken:
    """A batch of the journal that has to do with the file at hand."""

    batch_id: str
    file_name: str
    status: str
    archive_path: Path
    business_date: date


def taken(context: Context, column: str, value: str) -> list[Taken]:
    """Batches of the feed whose `column` (file_name or sha256) is `value`, newest first."""
    found = context.rows(
        f"""
        SELECT batch_id, file_name, status, archive_path, business_date
        FROM ops.batches WHERE feed = ? AND {column} = ? ORDER BY load_seq DESC
        """,
        [context.feed.name, value],
    )
    return [Taken(row[0], row[1], row[2], context.archive / row[3], row[4]) for row in found]


def siblings_of(context: Context, given: Iterable[Feed] | None) -> dict[str, tuple[str, ...]]:
    """Other enabled feeds of the domain → their inbound patterns; `given`, or those that `ensure_tables` has noted."""
    feed = context.feed
    if given is not None:
        pairs = {item.name: item.inbound for item in given if item.enabled and item.domain == feed.domain}
    else:
        noted = context.rows("SELECT feed, inbound FROM ops.feeds WHERE domain = ? AND enabled", [feed.domain])
        pairs = {name: tuple(json.loads(patterns)) for name, patterns in noted}
    return {name: patterns for name, patterns in pairs.items() if name != feed.name}
