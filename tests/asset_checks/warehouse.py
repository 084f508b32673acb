"""A small warehouse for the checks: the ops tables, and rows written as landing writes them."""

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
from ops_project.settings import Settings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ZONE = "America/New_York"

OPS = """
create schema if not exists ops;
create schema if not exists bronze;
create schema if not exists silver;
create schema if not exists gold;
create table ops.batches (
    batch_id varchar, feed varchar, domain varchar, file_name varchar, archive_path varchar, sha256 varchar,
    size_bytes bigint, arrived_at timestamp, business_date date, load_seq bigint, status varchar,
    contract_version integer, rows_in bigint, rows_loaded bigint, rows_quarantined bigint, rows_filtered bigint,
    rows_collapsed bigint, control_rows bigint, finding varchar, message varchar, loaded_at timestamp, run_id varchar,
    replaces_batch_id varchar
);
create table ops.quarantine (
    batch_id varchar, feed varchar, file_name varchar, line bigint, raw_text varchar, column_name varchar,
    reason varchar, reasons json
);
create table ops.findings (
    finding_id varchar, kind varchar, feed varchar, asset varchar, business_date date, batch_id varchar,
    file_name varchar, message varchar, evidence json, state varchar, observed_at timestamp, resolved_at timestamp,
    run_id varchar
);
create table ops.touched_dates (feed varchar, business_date date, load_seq bigint);
create table ops.quality_scores (
    table_schema varchar, table_name varchar, domain varchar, as_of timestamp, run_id varchar, completeness double,
    validity double, uniqueness double, consistency double, timeliness double, score double, row_count bigint
);
"""


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
        self.connection.execute(OPS)
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
        """A batch as landing leaves it; with `rows` they go into bronze.<feed> (created from the first row)."""
        sequence = next(self._sequence)
        batch_id = f"{feed}-{sequence}"
        loaded = list(rows or [])
        count = len(loaded) if rows is not None else (rows_in or 0) - quarantined
        moment = (loaded_at or datetime(day.year, day.month, day.day, 7, tzinfo=UTC)).replace(tzinfo=None)
        self.connection.execute(
            "insert into ops.batches (batch_id, feed, domain, file_name, business_date, load_seq, status, rows_in,"
            " rows_loaded, rows_quarantined, rows_filtered, rows_collapsed, loaded_at)"
            " values (?, ?, 'ecommerce', ?, ?, ?, ?, ?, ?, ?, 0, 0, ?)",
            [
                batch_id, feed, file_name or f"{feed}_{day}.csv", day, sequence, status,
                count + quarantined if rows_in is None else rows_in, count, quarantined, moment,
            ],
        )  # fmt: skip
        self.connection.execute("insert into ops.touched_dates values (?, ?, ?)", [feed, day, sequence])
        for row in loaded:
            self._insert(
                f"bronze.{feed}",
                {"business_date": day, **row, "_batch_id": batch_id, "_load_seq": sequence},
            )
        return batch_id

    def finding(self, kind: str, feed: str, day: date, state: str = "open", observed_at: datetime = NOW) -> None:
        self.connection.execute(
            "insert into ops.findings (finding_id, kind, feed, business_date, file_name, message, evidence, state,"
            " observed_at) values (uuid(), ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                kind, feed, day, f"{feed}_{day}.csv", f"{kind} on {day}", json.dumps({}), state,
                observed_at.replace(tzinfo=None),
            ],
        )  # fmt: skip

    def table(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self._insert(name, row)

    def _insert(self, name: str, row: Mapping[str, Any]) -> None:
        types = {str: "varchar", int: "bigint", float: "double", date: "date", datetime: "timestamp", bool: "boolean"}
        columns = ", ".join(f"{key} {types.get(type(value), 'varchar')}" for key, value in row.items())
        self.connection.execute(f"create table if not exists {name} ({columns})")
        marks = ", ".join("?" for _ in row)
        self.connection.execute(f"insert into {name} ({', '.join(row)}) values ({marks})", list(row.values()))
