"""A home of one domain: files as its sources would send them, really landed and really built, without Dagster."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ops_project import catalog
from ops_project.model.feed.feed import Feed
from ops_project.pipeline import landing
from ops_project.pipeline.dbt_engine import manifest as dbt_manifest
from ops_project.pipeline.dbt_engine import runner as dbt_runner
from ops_project.settings import Settings

Row = Mapping[str, Any]
CLOCKS = {"dbt_updated_at", "metric_updated_at"}
# The content of files in columns that a test does not care about.
USUAL: dict[str, Any] = {
    "op": "U",
    "holder_id": "H1",
    "product": "motor",
    "product_line": "add_on",
    "region": "north",
    "policy_status": "active",
    "effective_date": "2026-01-01",
    "changed_at": "2026-01-01 00:00:00",
    "occurred_at": "2026-01-01 00:00:00",
    "updated_at": "2026-01-01 00:00:00",
    "channel": "search",
    "quantity": 1,
    "currency": "USD",
    "status": "settled",
    "session_id": "S1",
    "event_name": "content_viewed",
    "platform": "web",
    "expected_share": "0.5",
    "assigned_at": "2026-01-01 00:00:00",
    "title": "A title",
    "artist": "An artist",
    "genre": "pop",
    "duration_seconds": 200,
    "user_name": "Somebody",
    "country": "NO",
    "plan": "free",
    "signup_date": "2025-01-01",
    "listen_seconds": 100,
    "device": "phone",
    "is_offline": "false",
    "ordered_at": "2026-01-01 12:00:00",
    "unit_price": "1.00",
}
USUAL_OF = {
    ("transactions", "region"): "europe",
    ("orders", "status"): "paid",
    ("orders", "channel"): "web",
    ("orders", "currency"): "USD",
    ("web_events", "event_type"): "page_view",
}


@dataclass
class Site:
    """One home. `put` delivers a file. `run` lands the waiting files and builds the domain. Each run is an hour later
    than the run before.
    """

    home: Path
    domain: str
    clock: datetime = field(default=datetime(2026, 6, 1, 12, tzinfo=UTC))
    revision: int = 0
    may_reject: bool = False
    """A random history also has files that landing refuses, such as an extract without a row."""

    def __post_init__(self) -> None:
        self.settings = Settings.load(home=self.home, environ={})
        self.settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        self.feeds: list[Feed] = catalog.load(self.settings).feeds_of(self.domain)
        with self.connect() as connection:
            landing.ensure_tables(connection, self.feeds)

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.settings.warehouse))

    def feed(self, name: str) -> Feed:
        return next(feed for feed in self.feeds if feed.name == name)

    def put(self, name: str, day: date, rows: Iterable[Row], *, part: str | None = None) -> Path:
        """A file of feed `name`, dated `day`; another file of the same date and part is its correction."""
        self.revision += 1
        feed = self.feed(name)
        path = self.settings.inbound / self.domain / file_name(feed, day, part, self.revision)
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = [complete(feed, row) for row in rows]
        write(feed, path, whole)
        written = [path]
        if feed.control is not None:
            control = path.with_name(feed.control.file.replace("{stem}", path.stem))
            control.write_text(f"rows={len(whole)}\n")
            written.append(control)
        arrived = (self.clock - timedelta(minutes=30)).timestamp()
        for item in written:
            os.utime(item, (arrived, arrived))
        return path

    def land(self) -> None:
        self.clock += timedelta(hours=1)
        with self.connect() as connection:
            landing.ensure_tables(connection, self.feeds)
            for feed in self.feeds:
                result = landing.land(
                    connection, feed, inbound=self.settings.inbound, archive=self.settings.archive, now=self.clock
                )
                assert self.may_reject or all(b.status in ("loaded", "duplicate") for b in result.batches), (
                    result.batches
                )

    def build(
        self,
        *select: str,
        command: str = "run",
        manifest: dbt_manifest.DbtManifest | None = None,
        anew: bool = False,
        **variables: str,
    ) -> dbt_runner.DbtResult:
        """Build the domain. `manifest`: by default that of the shipped project. `anew`: build every table from nothing.
        `variables`: variables of dbt.
        """
        manifest = manifest or dbt_manifest.load()
        models = [node["name"] for node in manifest.json["nodes"].values() if node["resource_type"] == "model"]
        select = select or (f"tag:{self.domain}",)
        if command == "test":
            # Unit tests are about the SQL: tests/dbt/test_domain_mutants.py runs them.
            select = tuple(f"{name},test_type:data" for name in select)
        with self.settings.exported():
            invocation = dbt_runner.build(
                manifest,
                self.settings,
                select=select,
                as_of=self.clock,
                command=command,
                extra_vars={**variables, **({"rebuild_tables": models} if anew else {})},
            )
            for _ in invocation:
                pass
        assert not invocation.result.errors, invocation.result.errors
        assert invocation.result.exception is None, invocation.result.exception
        return invocation.result

    def run(self, *select: str) -> None:
        self.land()
        self.build(*select)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(sql).fetchall()


def complete(feed: Feed, row: Row) -> dict[str, Any]:
    """The row with something in every column that the contract requires."""
    unknown = set(row) - set(feed.columns)
    assert not unknown, f"{feed.name} has no column {unknown}"
    usual = {
        name: USUAL_OF.get((feed.name, name), USUAL.get(name))
        for name, column in feed.columns.items()
        if column.required
    }
    return {name: row.get(name, usual.get(name)) for name in feed.columns}


def file_name(feed: Feed, day: date, part: str | None, revision: int) -> str:
    """The name that the first pattern of the contract gives."""
    pattern = feed.inbound[0]
    before, _, rest = pattern.partition("{date:")
    form, _, after = rest.partition("}")
    name = before + day.strftime(form) + after
    return name.replace("{revision}", f"_v{revision}").replace("{part}", part or "0000")


def write(feed: Feed, path: Path, rows: list[dict[str, Any]]) -> None:
    """The rows in the contract's format."""
    if feed.format.kind == "parquet":
        with duckdb.connect() as connection:
            columns = ", ".join(f"{name} {column.sql_type}" for name, column in feed.columns.items())
            connection.execute(f"create table rows ({columns})")
            if rows:
                marks = ", ".join("?" for _ in feed.columns)
                connection.executemany(f"insert into rows values ({marks})", [list(row.values()) for row in rows])
            connection.execute(f"copy rows to '{path}' (format parquet)")
    elif feed.format.kind == "jsonl":
        said = [{name: json_value(value) for name, value in row.items() if value is not None} for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in said))
    else:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(feed.columns), delimiter=feed.format.delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(text.getvalue())


def json_value(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return value if isinstance(value, int | float) else str(value)
