"""A small home: one contract, an inbound folder, a warehouse in memory. The warehouses of a process lie in one engine,
because starting an engine takes as long as landing a file.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections import deque
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.model.document import Document
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.feed_file import FeedFile
from ops_project.pipeline import landing
from ops_project.pipeline.landing.result import LandingResult

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TAKINGS = """
    inbound: "takings_{date:%Y-%m-%d}{revision}.csv"
    key: id
    columns:
      id: {type: integer, required: true}
      name: {type: string}
      amount: {type: "decimal(10,2)", min: 0}
      sold_at: {type: timestamp}
"""


def feeds_of(body: str, domain: str = "shop") -> dict[str, Feed]:
    """Feeds from the YAML below `feeds:`, indented by two."""
    return Document.parse(f"domain: {domain}\nfeeds:\n{body}", "test.yaml").validate(FeedFile).resolved()


def feed_of(body: str, name: str = "takings") -> Feed:
    """One feed from its YAML, indented by four."""
    return feeds_of(f"  {name}:\n{body}")[name]


_engines: dict[int, duckdb.DuckDBPyConnection] = {}
"""Process → its engine. A forked child has none of the threads of its parent's engine."""
_numbers = itertools.count()
_left: deque[str] = deque()
"""Warehouses whose connection is gone."""
CHANGED = ("threads", "preserve_insertion_order", "enable_external_file_cache")
"""Settings of the whole engine that landing changes. Each home begins with their defaults."""


def _warehouse() -> duckdb.DuckDBPyConnection:
    """An empty warehouse that no other connection uses."""
    pid = os.getpid()
    if pid not in _engines:
        _engines[pid] = duckdb.connect()
        _left.clear()
    engine = _engines[pid]
    while _left:
        engine.execute(f"DETACH {_left.popleft()}")
    connection = engine.cursor()
    name = f"warehouse_{next(_numbers)}"
    connection.execute("; ".join([f"ATTACH ':memory:' AS {name}; USE {name}", *(f"RESET {word}" for word in CHANGED)]))
    weakref.finalize(connection, _left.append, name)
    return connection


class Home:
    """Inbound, archive and warehouse of a test."""

    def __init__(self, root: Path, *feeds: Feed, now: datetime = NOW) -> None:
        self.root, self.feeds, self.now = root, feeds, now
        self.inbound, self.archive = root / "inbound", root / "archive"
        (self.inbound / "shop").mkdir(parents=True)
        self.connection = _warehouse()
        landing.ensure_tables(self.connection, feeds)

    def put(self, name: str, content: bytes | str, arrived: datetime | None = None) -> Path:
        """A file in the inbound folder, with its time of arrival."""
        path = self.inbound / "shop" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if arrived is not None:
            os.utime(path, (arrived.timestamp(), arrived.timestamp()))
        return path

    def land(self, feed: Feed | None = None, now: datetime | None = None, **options: Any) -> LandingResult:
        return landing.land(
            self.connection,
            feed or self.feeds[0],
            inbound=self.inbound,
            archive=self.archive,
            now=now or self.now,
            run_id="run",
            **options,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def bronze(self, columns: str = "*", feed: Feed | None = None) -> list[tuple[Any, ...]]:
        return self.rows(f"SELECT {columns} FROM bronze.{(feed or self.feeds[0]).name} ORDER BY _batch_id, _line")

    def open_findings(self) -> list[tuple[str, date | None]]:
        return self.rows("SELECT kind, business_date FROM ops.findings WHERE state = 'open' ORDER BY ALL")

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.inbound / "shop").iterdir())

    def archived(self) -> list[str]:
        return sorted(path.name for path in self.archive.rglob("*") if path.is_file())
