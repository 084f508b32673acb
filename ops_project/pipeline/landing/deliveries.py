"""The feed's journal in memory while `land` works. Landing needs the history of each file. A query for it takes about a
millisecond, and with thousands of small files these queries took a third of the time. So the journal is read once, and
updated after every committed file. It stays right, because no other process writes meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from operator import itemgetter
from pathlib import Path

import duckdb

from ops_project.pipeline.landing.decide.taken import Taken


@dataclass(frozen=True)
class OpenFinding:
    """An open finding about the feed."""

    kind: str
    business_date: date | None
    batch_id: str | None
    observed_at: datetime
    """When the finding was made, in UTC."""


class Deliveries:
    """The batches of a feed, indexed for lookup, and the open findings of the feed. Both are read when they are first
    used.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, feed: str, archive: Path) -> None:
        self._connection, self._feed, self._archive = connection, feed, archive
        self._batches: dict[str, Taken] | None = None
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_hash: dict[str, list[str]] = defaultdict(list)
        self._by_slot: dict[tuple[date, str | None], list[str]] = defaultdict(list)
        self._days: dict[str | None, list[date]] = defaultdict(list)
        self._open: list[OpenFinding] | None = None
        self._sequence: int | None = None
        self._first: dict[date, date | None] = {}
        self._confirmed: set[tuple[date, str]] | None = None

    def of_name(self, file_name: str) -> list[Taken]:
        """The batches of files with this name, newest first."""
        batches = self._loaded()
        return [batches[item] for item in reversed(self._by_name.get(file_name, []))]

    def of_content(self, sha256: str) -> list[Taken]:
        """Batches of files with these bytes, newest first."""
        batches = self._loaded()
        return [batches[item] for item in reversed(self._by_hash.get(sha256, []))]

    def of_slot(self, day: date, part: str | None) -> list[Taken]:
        """Batches that are or were valid for this date and part, oldest first."""
        batches = self._loaded()
        return [batches[item] for item in self._by_slot.get((day, part), [])]

    def standing(self, day: date, part: str | None) -> list[Taken]:
        """The loaded batches of a date and part. A new delivery replaces them."""
        return [batch for batch in self.of_slot(day, part) if batch.status == "loaded"]

    def rows_before(self, day: date, part: str | None, dates: int) -> list[tuple[date, int]]:
        """The last `dates` loaded dates of a part before `day`, newest first. Each is a pair (business date, number of
        records).
        """
        self._loaded()
        days, found = self._days.get(part, []), list[tuple[date, int]]()
        for earlier in reversed(days[: bisect_left(days, day)]):
            if len(found) == dates:
                break
            if standing := self.standing(earlier, part):
                found.append((earlier, sum(batch.rows_in for batch in standing)))
        return found

    def first(self, plausible: date) -> date | None:
        """The first date from `plausible` on that has a loaded file; None if there is none."""
        if plausible not in self._first:
            standing = (batch.business_date for batch in self._loaded().values() if batch.status == "loaded")
            self._first[plausible] = min((day for day in standing if day >= plausible), default=None)
        return self._first[plausible]

    def dates(self) -> set[date]:
        """The dates of all files, except duplicates. A run without files asks for no more than these."""
        if self._batches is not None:
            return {day for day, _ in self._by_slot}
        known = "SELECT DISTINCT business_date FROM ops.batches WHERE feed = ? AND status <> 'duplicate'"
        return {day for (day,) in self._connection.execute(known, [self._feed]).fetchall()}

    def all(self) -> list[Taken]:
        """All batches, in the order in which they were taken."""
        return list(self._loaded().values())

    def next_sequence(self) -> int:
        """The next load sequence number. The number counts as used only after `add`, so a failed transaction leaves no
        gap.
        """
        if self._sequence is None:
            # A change of the calendar touches dates without a batch. Such a change takes a number too.
            (batches,), (touched,) = self._connection.execute(
                "SELECT max(load_seq) FROM ops.batches UNION ALL SELECT max(load_seq) FROM ops.touched_dates"
            ).fetchall()
            self._sequence = max(batches or 0, touched or 0)
        return self._sequence + 1

    def add(self, batch: Taken, replaced: list[str]) -> None:
        """Add a batch that has been committed, and mark the batches that it replaced."""
        batches = self._loaded()
        for batch_id in replaced:
            old = batches[batch_id]
            batches[batch_id] = Taken(**{**old.__dict__, "status": "replaced"})
        self._put(batch)
        self._sequence = batch.load_seq
        if replaced:
            self._first.clear()  # The first date is looked up again when it is needed.
        elif batch.status == "loaded":
            day = batch.business_date
            for plausible, first in self._first.items():
                if plausible <= day and (first is None or day < first):
                    self._first[plausible] = day

    def confirmed(self) -> set[tuple[date, str]]:
        """Business date and hash of the deliveries that a person has confirmed."""
        if self._confirmed is None:
            known = "SELECT business_date, sha256 FROM ops.confirmations WHERE feed = ?"
            self._confirmed = {
                (day, sha256) for day, sha256 in self._connection.execute(known, [self._feed]).fetchall()
            }
        return self._confirmed

    def open_findings(self) -> list[OpenFinding]:
        """The open findings about the feed."""
        if self._open is None:
            rows = self._connection.execute(
                "SELECT kind, business_date, batch_id, observed_at FROM ops.findings WHERE feed = ? AND state = 'open'",
                [self._feed],
            ).fetchall()
            self._open = [OpenFinding(kind, day, batch, at.replace(tzinfo=UTC)) for kind, day, batch, at in rows]
        return self._open

    def findings_changed(self) -> None:
        """Forget the findings after some were written or closed. They are read again when they are needed."""
        self._open = None

    def _loaded(self) -> dict[str, Taken]:
        if self._batches is None:
            self._batches = {}
            rows = self._connection.execute(
                """
                SELECT batch_id, file_name, status, archive_path, business_date, part, sha256, arrived_at, load_seq,
                    rows_in, contract_hash
                FROM ops.batches WHERE feed = ?
                """,
                [self._feed],
            ).fetchall()
            # For a few rows, sorting them in SQL takes as long as reading them.
            for row in sorted(rows, key=itemgetter(8)):
                self._put(
                    Taken(
                        batch_id=row[0],
                        file_name=row[1],
                        status=row[2],
                        archive_path=self._archive / row[3],
                        business_date=row[4],
                        part=row[5],
                        sha256=row[6],
                        arrived_at=row[7].replace(tzinfo=UTC),
                        load_seq=row[8],
                        rows_in=row[9],
                        contract=row[10],
                    )
                )
        return self._batches

    def _put(self, batch: Taken) -> None:
        assert self._batches is not None
        self._batches[batch.batch_id] = batch
        self._by_name[batch.file_name].append(batch.batch_id)
        self._by_hash[batch.sha256].append(batch.batch_id)
        if batch.status != "duplicate":
            slot = self._by_slot[batch.business_date, batch.part]
            if not slot:
                insort(self._days[batch.part], batch.business_date)
            slot.append(batch.batch_id)
