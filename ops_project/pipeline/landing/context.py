"""The values that one call of `land` works with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ops_project.model.feed.feed import Contract, Feed
from ops_project.pipeline.landing.decide.contract_hash import contract_hash
from ops_project.pipeline.landing.deliveries import Deliveries
from ops_project.pipeline.landing.overruled import Overruled
from ops_project.pipeline.landing.result import LandingResult


@dataclass
class Context:
    """Connection, contract, folders and clock, and the result so far."""

    connection: duckdb.DuckDBPyConnection
    feed: Feed
    inbound: Path
    archive: Path
    now: datetime
    run_id: str | None
    result: LandingResult = field(init=False)
    deliveries: Deliveries = field(init=False)
    overruled: Overruled = field(init=False)
    known_since: date | None = field(init=False)
    """The first business date of the feed before this call; None if this call is the first load."""
    last_load: datetime | None = field(init=False)
    """When a file of the feed was last loaded before this call, in UTC without a time zone; None if there is none."""
    own_times: bool = False
    """Whether the arrival times of the files were set by the source and not by a later copy (decide/arrival.py)."""

    _hashes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.result = LandingResult(self.feed.name)
        self.deliveries = Deliveries(self.connection, self.feed.name, self.archive)
        self.overruled = Overruled(self.connection, self.feed)
        [(self.known_since, self.last_load)] = self.rows(
            "SELECT min(business_date), max(loaded_at) FROM ops.batches WHERE feed = ?", [self.feed.name]
        )

    def rows(self, sql: str, parameters: list[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        return self.connection.execute(sql, parameters or []).fetchall()

    def hash_of(self, contract: Contract) -> str:
        """The hash of a version of the feed's contract. Computing the hash takes as long as an SQL statement, so it is
        computed only once.
        """
        if contract.version not in self._hashes:
            self._hashes[contract.version] = contract_hash(self.feed, contract)
        return self._hashes[contract.version]

    def count(self, sql: str, parameters: list[Any] | None = None) -> int:
        """The one number that a statement gives."""
        return int(self.rows(sql, parameters)[0][0] or 0)


def siblings_of(context: Context, given: Iterable[Feed] | None) -> dict[str, tuple[str, ...]]:
    """The other enabled feeds of the domain → their inbound patterns. The feeds are `given`, or those that
    `ensure_tables` has stored.
    """
    feed = context.feed
    if given is not None:
        pairs = {item.name: item.inbound for item in given if item.enabled and item.domain == feed.domain}
    else:
        noted = context.rows("SELECT feed, inbound FROM ops.feeds WHERE domain = ? AND enabled", [feed.domain])
        pairs = {name: tuple(json.loads(patterns)) for name, patterns in noted}
    return {name: patterns for name, patterns in pairs.items() if name != feed.name}
