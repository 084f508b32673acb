"""The content of the sources, read from the archive: the valid files, their rows as text, and the newest row of a
key.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from ops_project.model.feed.feed import Feed
from tests.numbers.site import Site


@dataclass(frozen=True)
class File:
    """A valid file: no correction has replaced it, and landing did not refuse it."""

    feed: str
    day: date
    """The date in the name of the file."""
    part: str
    number: int
    """The number of the load. It rises in the order of loading."""
    path: Path
    loaded_at: datetime
    """UTC, without an offset."""

    @property
    def place(self) -> tuple[date, str, int]:
        return self.day, self.part, self.number


@dataclass(frozen=True)
class Row:
    """One row of a file."""

    file: File
    line: int
    fields: Mapping[str, str | None]

    def text(self, name: str) -> str | None:
        return self.fields[name] or None

    def known(self, name: str) -> str:
        """The text of a field that the contract requires."""
        found = self.text(name)
        assert found is not None, (self.file.path, self.line, name)
        return found

    def number(self, name: str) -> Decimal:
        return Decimal(self.known(name))

    def day(self, name: str) -> date:
        return date.fromisoformat(self.known(name)[:10])

    def moment(self, name: str) -> datetime:
        return datetime.fromisoformat(self.known(name))


@dataclass(frozen=True)
class Archive:
    """All valid files of one domain."""

    contents: Mapping[File, tuple[Row, ...]]
    today: date
    """The day of the last build, in New York."""
    now: datetime
    """The clock of the last build, UTC without an offset."""
    refused: Mapping[File, tuple[Row, ...]] = field(default_factory=dict)
    """The rows that landing refused. `contents` is without them."""

    def days(self, feed: str) -> set[date]:
        """The dates for which the feed has a valid file."""
        return {file.day for file in self.contents if file.feed == feed}

    def before(self, day: date) -> Archive:
        """The content of the files with an earlier date, at today's exchange rates."""
        return replace(
            self,
            contents={
                file: rows for file, rows in self.contents.items() if file.day < day or file.feed == "exchange_rates"
            },
        )

    def rows(self, feed: str) -> list[Row]:
        return [row for file, rows in self.contents.items() if file.feed == feed for row in rows]


def read(site: Site) -> Archive:
    """The valid files. Raises an error if another number of rows was quarantined than the histories make bad on
    purpose: streams that no contract accepts, and rows of any feed that count on a day too far ahead.
    """
    files = site.ask(
        "select feed, business_date, coalesce(part, ''), load_seq, archive_path, loaded_at, rows_quarantined"
        " from ops.batches where status = 'loaded'"
    )
    contents: dict[File, tuple[Row, ...]] = {}
    refused: dict[File, tuple[Row, ...]] = {}
    for feed, day, part, number, path, loaded_at, quarantined in sorted(files):
        file = File(feed, day, part, number, site.settings.archive / path, loaded_at)
        rows = [Row(file, line, fields) for line, fields in enumerate(_records(site, file))]
        contract = site.feed(feed)
        bad = [row for row in rows if (is_bad_stream(row) if feed == "streams" else is_too_early(row, contract))]
        assert len(bad) == quarantined, (path, len(bad), quarantined)
        contents[file] = tuple(row for row in rows if row not in bad)
        if bad:
            refused[file] = tuple(bad)
    today = site.clock.astimezone(ZoneInfo("America/New_York")).date()
    return Archive(contents, today, site.clock.replace(tzinfo=None), refused)


def is_bad_stream(row: Row) -> bool:
    """Whether the contract refuses a stream: for its length, or because it was not listened to at a possible time."""
    return int(row.known("listen_seconds")) < 0 or moment_of(row) is None


def is_too_early(row: Row, contract: Feed) -> bool:
    """Whether the row counts on a day after the day that follows its load, in the time zone of the feed's dates."""
    if contract.business_date == "file":
        return False
    loaded_on = row.file.loaded_at.replace(tzinfo=UTC).astimezone(contract.date_zone).date()
    return row.day(contract.business_date) > loaded_on + timedelta(days=1)


def moment_of(row: Row) -> datetime | None:
    """When a stream was listened to; None if the text is no time, or a day after the day that follows its load."""
    try:
        said = row.moment("listened_at")
    except ValueError:
        return None
    return said if said.date() <= row.file.loaded_at.date() + timedelta(days=1) else None


def newest(rows: Iterable[Row], key: Callable[[Row], Any], latest_by: str | None = None) -> dict[Any, Row]:
    """The newest row of each key: by the source's own order if it has one, or else by the date and part of the file."""

    def place(row: Row) -> tuple[Any, ...]:
        said = row.text(latest_by) if latest_by else None
        return (said is not None, said or "", *row.file.place, row.line)

    found: dict[Any, Row] = {}
    for row in rows:
        if key(row) not in found or place(row) > place(found[key(row)]):
            found[key(row)] = row
    return found


def _records(site: Site, file: File) -> list[dict[str, str | None]]:
    path = file.path
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            cursor = connection.execute(f"select * from read_parquet('{path}')")
            names = [column[0] for column in cursor.description or ()]
            return [
                {name: None if value is None else str(value) for name, value in zip(names, row, strict=True)}
                for row in cursor.fetchall()
            ]
    with path.open(encoding="utf-8", newline="") as text:
        if path.suffix == ".jsonl":
            return [{name: str(value) for name, value in json.loads(line).items()} for line in text]
        return [dict(record) for record in csv.DictReader(text, delimiter=site.feed(file.feed).format.delimiter)]
