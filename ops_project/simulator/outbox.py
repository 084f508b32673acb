"""Stages the files of a simulated day, and then makes them visible.

The files are written into a hidden folder inside the domain's inbound folder. When all files are complete, they are
renamed into the inbound folder. So the inbound folder never contains an incomplete file. This module decides nothing
about the content of the files.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ops_project.sql_text import literal

Columns = Mapping[str, Any]
"""Column name → numpy array, list or arrow array. All columns have the same length."""


@dataclass
class Staged:
    """One file that is not visible yet: its path, business date and arrival time. It keeps its name when it is
    published.
    """

    feed: str
    business_date: date
    path: Path
    arrives_at: datetime
    rows: int = 0
    may_be_future: bool = False
    """True: the arrival time may be in the future. A fault that makes a file late needs this."""

    @property
    def name(self) -> str:
        return self.path.name


@dataclass
class Outbox:
    """The files of one domain and day. They are not visible before `publish`."""

    inbound: Path
    domain: str
    connection: duckdb.DuckDBPyConnection
    now: datetime
    """The present time. A file with a later arrival time arrives at this time."""
    record: Callable[[str, Sequence[Path]], None]
    """Called with the domain and the complete files before they become visible; see `own_files.record`."""
    only: frozenset[str] = frozenset()
    """The feeds to write. Empty means all feeds."""
    staged: list[Staged] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)
    """Names of files that `publish` removes from inbound. They belong to an earlier delivery, and a fault takes them
    back.
    """
    _number: int = field(default_factory=itertools.count().__next__)

    @property
    def folder(self) -> Path:
        return self.inbound / self.domain

    @property
    def staging(self) -> Path:
        return self.folder / f".staging-{self._number}-{os.getpid()}"

    def wants(self, feed: str) -> bool:
        """Whether the caller wants files of this feed."""
        return not self.only or feed in self.only

    def write(
        self,
        feed: str,
        name: str,
        day: date,
        *,
        arrives_at: datetime,
        columns: Columns | Sequence[Columns],
        select: str = "*",
        dialect: str = "FORMAT csv",
    ) -> None:
        """Stage one file. Another call for the same file appends rows.

        `columns`: the rows, as one set of columns or as several.

        `select`: SQL that makes the fields of the file from the columns.

        `dialect`: the options of DuckDB's COPY.
        """
        if not self.wants(feed):
            return
        staged = self._find(name) or self._open(feed, name, day, arrives_at)
        chunks = [columns] if isinstance(columns, Mapping) else columns
        # A COPY takes about 4 ms even for few rows, so small sets of columns are joined first.
        table = pa.concat_tables([pa.table(dict(chunk)) for chunk in chunks])
        first = not staged.path.exists()
        staged.rows += table.num_rows
        target = staged.path if first else staged.path.with_suffix(staged.path.suffix + ".more")
        options = f"{dialect}, HEADER {first}" if "csv" in dialect else dialect
        self.connection.register("simulated", table)
        self.connection.execute(f"COPY (SELECT {select} FROM simulated) TO {literal(str(target))} ({options})")
        self.connection.unregister("simulated")
        if not first:
            _append(target, staged.path)

    def control(self, name: str, control_name: str = "{name}.ctl", text: str = "{rows}\n", **values: object) -> None:
        """Stage the control file of the staged file `name`. Both files arrive at the same time.

        `text`: the content. {feed}, {rows} (the number of records) and the names of `values` are filled in.
        """
        data = self._find(name)
        if data is None:
            return
        own = control_name.format(name=name, stem=name.split(".", 1)[0])
        staged = self._open(data.feed, own, data.business_date, data.arrives_at)
        staged.path.write_text(text.format(rows=data.rows, feed=data.feed, **values), encoding="ascii", newline="")

    def publish(self) -> list[Staged]:
        """Remove the withdrawn files. Then rename all staged files into inbound, in the order of their arrival times,
        with the arrival time as mtime.
        """
        for name in self.withdrawn:
            (self.folder / name).unlink(missing_ok=True)
        published = sorted(self.staged, key=lambda file: file.arrives_at)
        for file in published:
            moment = (file.arrives_at if file.may_be_future else min(file.arrives_at, self.now)).timestamp()
            os.utime(file.path, (moment, moment))
        self.record(self.domain, [file.path for file in published])
        for file in published:
            file.path = file.path.replace(self.folder / file.name)
        self.discard()
        return published

    def discard(self) -> None:
        """Remove the files that are staged and not published."""
        self.staged, self.withdrawn = [], set()
        shutil.rmtree(self.staging, ignore_errors=True)

    def _find(self, name: str) -> Staged | None:
        return next((file for file in self.staged if file.name == name), None)

    def _open(self, feed: str, name: str, day: date, arrives_at: datetime) -> Staged:
        self.staging.mkdir(parents=True, exist_ok=True)
        staged = Staged(feed, day, self.staging / name, arrives_at)
        self.staged.append(staged)
        return staged


def _append(part: Path, whole: Path) -> None:
    with part.open("rb") as source, whole.open("ab") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    part.unlink()
