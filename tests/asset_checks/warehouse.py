"""A small warehouse for the checks, with the ops tables and with rows in the form in which landing writes them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from asset_checks.verdict import Situation
from ops_project import catalog
from ops_project.model.checks import Checks
from ops_project.pipeline.landing.write.tables import ensure_tables
from ops_project.settings import Settings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ZONE = "America/New_York"


def shipped() -> Checks:
    """The configuration that the project ships."""
    return catalog.load(Settings.load(environ={})).checks


@dataclass
class Warehouse:
    """One in-memory (or on-disk) database with the ops tables."""

    path: str = ":memory:"
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(self.path)
        ensure_tables(self.connection, [])
        self.connection.execute("create schema silver; create schema gold")
        self._sequence = itertools.count(1)

    def situation(self, now: datetime = NOW, run_id: str = "run", **parameters: Any) -> Situation:
        checks = shipped()
        return Situation(self.connection, now, run_id, checks.model_copy(update=parameters), ZONE, "ecommerce")

    def batch(
        self,
        feed: str,
        day: date,
        rows: Iterable[Mapping[str, Any]] | None = None,
        *,
        rows_in: int | None = None,
        quarantined: int = 0,
        status: str = "loaded",
        loaded_at: datetime | None = None,
        file_name: str | None = None,
    ) -> str:
        """A batch as landing leaves it. If `rows` are given, they go into bronze.<feed>, which is created from the
        first row.
        """
        sequence = next(self._sequence)
        batch_id = f"{feed}-{sequence}"
        loaded = list(rows or [])
        count = len(loaded) if rows is not None else (rows_in or 0) - quarantined
        moment = (loaded_at or datetime(day.year, day.month, day.day, 7, tzinfo=UTC)).replace(tzinfo=None)
        self.connection.execute(
            "insert into ops.batches (batch_id, feed, domain, file_name, sha256, size_bytes, arrived_at, business_date,"
            " load_seq, status, rows_in, rows_loaded, rows_quarantined, rows_filtered, rows_collapsed, loaded_at)"
            " values (?, ?, 'ecommerce', ?, '', 0, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)",
            [
                batch_id,
                feed,
                file_name or f"{feed}_{day}.csv",
                moment,
                day,
                sequence,
                status,
                count + quarantined if rows_in is None else rows_in,
                count,
                quarantined,
                moment,
            ],
        )
        self.connection.execute("insert into ops.touched_dates values (?, ?, ?)", [feed, day, sequence])
        for row in loaded:
            self._insert(
                f"bronze.{feed}",
                {"business_date": day, **row, "_batch_id": batch_id, "_load_seq": sequence},
            )
        return batch_id

    def quarantine(self, batch_id: str, feed: str, line: int, reason: str, column: str = "amount") -> None:
        self.connection.execute(
            "insert into ops.quarantine (batch_id, feed, file_name, line, column_name, reason, raw_text, rows)"
            " values (?, ?, 'file', ?, ?, ?, 'secret', 1)",
            [batch_id, feed, line, column, reason],
        )

    def finding(
        self,
        kind: str,
        feed: str,
        day: date,
        state: str = "open",
        observed_at: datetime = NOW,
        batch_id: str | None = None,
    ) -> None:
        self.connection.execute(
            "insert into ops.findings (finding_id, kind, feed, business_date, file_name, message, evidence, state,"
            " observed_at, batch_id) values (uuid(), ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                kind,
                feed,
                day,
                f"{feed}_{day}.csv",
                f"{kind} on {day}",
                json.dumps({}),
                state,
                observed_at.replace(tzinfo=None),
                batch_id,
            ],
        )

    def table(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self._insert(name, row)

    def _insert(self, name: str, row: Mapping[str, Any]) -> None:
        types = {str: "varchar", int: "bigint", float: "double", date: "date", datetime: "timestamp", bool: "boolean"}
        columns = ", ".join(f"{key} {types.get(type(value), 'varchar')}" for key, value in row.items())
        self.connection.execute(f"create table if not exists {name} ({columns})")
        marks = ", ".join("?" for _ in row)
        self.connection.execute(f"insert into {name} ({', '.join(row)}) values ({marks})", list(row.values()))
