"""Inbound files of one feed → bronze rows, quarantine, findings, archive. One transaction a file.

Killed at any point, a plain rerun goes on: what was committed is only archived, what was not is done again. Input never
raises: whatever is wrong with a file becomes a finding, and the other files go on.
"""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from asset_checks.primitives.interval import expected_interval
from ops_project.landing import archive as kept_files
from ops_project.landing import journal
from ops_project.landing.examine import Examination, Problem, examine
from ops_project.landing.inbox import InboundFile, identity, pending
from ops_project.landing.result import Batch, Finding, LandingResult, Progress
from ops_project.landing.scan import Scan, scan
from ops_project.landing.sql import identifier, literal
from ops_project.landing.stage import BAD, GOOD_STATE, REFUSED, REPEATED, STAGED
from ops_project.landing.tables import create_tables
from ops_project.model.feed import Feed
from ops_project.model.inbound import compile_inbound
from ops_project.operations.arrival import lateness, missing_dates
from ops_project.operations.findings import first as first_finding

TEMPORARY = (STAGED, REFUSED, BAD, REPEATED, "landing_raw", "landing_text")
# Kinds that a file can have for its own sake: closed by the next file of the same date that is loaded.
CLOSED_BY_LOADING = None


@dataclass(frozen=True)
class _Taken:
    """A batch of the journal that has to do with a file at hand."""

    batch_id: str
    file_name: str
    sha256: str
    status: str
    archive_path: Path
    business_date: date
    size: int


def land(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    *,
    inbound: Path,
    archive: Path,
    now: datetime,
    run_id: str | None = None,
    dates: Collection[date] | None = None,
    progress: Progress | None = None,
    siblings: Iterable[Feed] | None = None,
) -> LandingResult:
    """Land every file of `feed` that has arrived by `now`; with `dates` only those of these business dates.

    `inbound` and `archive` are the roots of the home, `now` is aware. A file that other feeds match too leaves the
    inbound folder when all have taken it: `siblings`, by default the feeds that `ensure_tables` was given.
    """
    create_tables(connection, [feed])
    connection.execute("SET preserve_insertion_order = true")  # a staged row's rowid is its place in the file
    return _Landing(connection, feed, inbound, archive, now, run_id, progress, siblings).run(dates)


class _Landing:
    """One call of `land`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        feed: Feed,
        inbound: Path,
        archive: Path,
        now: datetime,
        run_id: str | None,
        progress: Progress | None,
        siblings: Iterable[Feed] | None,
    ) -> None:
        self.connection, self.feed, self.inbound, self.archive = connection, feed, inbound, archive
        self.now, self.run_id, self.progress = now, run_id, progress
        self.result = LandingResult(feed.name)
        self.siblings = self._siblings(siblings)
        self.first_load = not self._one("SELECT count(*) FROM ops.batches WHERE feed = ?", [feed.name])

    def _one(self, sql: str, parameters: list[object]) -> int:
        found = self.connection.execute(sql, parameters).fetchone()
        assert found is not None
        return int(found[0] or 0)

    def _siblings(self, siblings: Iterable[Feed] | None) -> dict[str, tuple[str, ...]]:
        """Other enabled feeds of the domain → their inbound patterns."""
        if siblings is not None:
            pairs = {item.name: item.inbound for item in siblings if item.enabled and item.domain == self.feed.domain}
        else:
            rows = self.connection.execute(
                "SELECT feed, inbound FROM ops.feeds WHERE domain = ? AND enabled", [self.feed.domain]
            ).fetchall()
            pairs = {name: tuple(json.loads(patterns)) for name, patterns in rows}
        return {name: patterns for name, patterns in pairs.items() if name != self.feed.name}

    def run(self, dates: Collection[date] | None) -> LandingResult:
        files = pending(self.feed, self.inbound) if self.feed.enabled else []
        left: set[date] = set()
        for file in files:
            arrived_at = min(file.modified_at, self.now)
            day = file.business_date or arrived_at.astimezone(self.feed.arrival.zone).date()
            if day > self.now.astimezone(self.feed.arrival.zone).date():
                continue  # replaying the past: it has not arrived yet
            if file.waits or (dates is not None and day not in dates):
                self.result.waiting.append(file.name)
                if not file.waits:
                    left.add(day)
                continue
            self._land(file, day, arrived_at)
        self._missing(left)
        return self.result

    def _land(self, file: InboundFile, day: date, arrived_at: datetime) -> None:
        """One file; what goes wrong unexpectedly becomes a finding, and the file stays where it is."""
        working = Path(tempfile.mkdtemp(prefix="landing-", dir=self._spool_folder()))
        try:
            if not self._already_taken(file):
                self._take(file, day, arrived_at, working / "text")
        except Exception as error:  # anything at all: the other files must go on, and nobody is shown a stack trace
            self._failed(file, day, error)
        finally:
            shutil.rmtree(working, ignore_errors=True)
            for table in TEMPORARY:
                self.connection.execute(f"DROP TABLE IF EXISTS temp.{table}")

    def _spool_folder(self) -> Path:
        folder = self.archive.parent / "warehouse"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _known(self, column: str, value: str) -> list[_Taken]:
        rows = self.connection.execute(
            f"""
            SELECT batch_id, file_name, sha256, status, archive_path, business_date, size_bytes
            FROM ops.batches WHERE feed = ? AND {column} = ? ORDER BY load_seq DESC
            """,
            [self.feed.name, value],
        ).fetchall()
        return [_Taken(*row[:4], self.archive / row[4], *row[5:]) for row in rows]

    def _already_taken(self, file: InboundFile) -> bool:
        """True where an earlier run has committed this very delivery; then only archiving is left."""
        for taken in self._known("file_name", file.name):
            if kept_files.is_same_delivery(file.path, taken.archive_path):
                self._release(file, taken.sha256)
                return True
        return False

    def _take(self, file: InboundFile, day: date, arrived_at: datetime, spool: Path) -> None:
        before = identity(file.path)
        contract = self.feed.at(day)
        scanned = scan(file.path, contract.format, spool)
        known = self._known("sha256", scanned.sha256)
        for taken in known:
            if taken.file_name == file.name and not taken.archive_path.exists():
                # Committed, and killed before it was archived.
                self._keep(file, scanned.sha256, taken.archive_path)
                return
        duplicate = self._duplicate_of(file, day, scanned, known)
        if duplicate is not None:
            found = Examination(scanned, contract, day)
            found.problems.append(
                Problem(
                    "source_duplicate",
                    f"the same content as {duplicate.file_name} of {duplicate.business_date} "
                    f"(batch {duplicate.batch_id}, {duplicate.status}); nothing was loaded",
                    True,
                    {
                        "sha256": scanned.sha256,
                        "same_as_batch": duplicate.batch_id,
                        "same_as_file": duplicate.file_name,
                    },
                )
            )
        else:
            found = examine(self.connection, self.feed, file, day, scanned)
            self._volume(found, file, day)
        self._lateness(found, day, arrived_at)
        if identity(file.path) != before:
            self.result.waiting.append(file.name)  # somebody is still writing it
            return
        batch, target = self._commit(file, day, arrived_at, found, duplicate)
        self.result.batches.append(batch)
        self._keep(file, scanned.sha256, target)
        if self.progress is not None:
            self.progress(batch)

    def _duplicate_of(self, file: InboundFile, day: date, scanned: Scan, known: list[_Taken]) -> _Taken | None:
        """The batch that has loaded these bytes already.

        Of another date they are no duplicate where repeating is natural: a full extract in which nothing changed, or a
        file that holds no record.
        """
        loaded = [taken for taken in known if taken.status in ("loaded", "replaced")]
        file_format = self.feed.at(day).format
        above = file_format.skip_lines + (file_format.kind == "csv" and file_format.header)
        natural = self.feed.extract == "full" or (file_format.kind != "parquet" and scanned.lines <= above)
        return next((taken for taken in loaded if taken.business_date == day or not natural), None)

    def _volume(self, found: Examination, file: InboundFile, day: date) -> None:
        """Too few rows, where the file brings no count of its own."""
        rules = self.feed.volume
        if found.rejected or found.control_rows is not None or not rules.enabled:
            return
        reject = rules.on_low == "reject"
        if self.feed.extract == "full" and found.rows_in == 0:
            found.reject("source_partial", "a full extract without a single record")
            return
        if rules.min_rows is not None and found.rows_in < rules.min_rows:
            problem = Problem(
                "source_partial", f"{found.rows_in} records, the contract expects at least {rules.min_rows}", reject,
                {"rows": found.rows_in, "min_rows": rules.min_rows},
            )  # fmt: skip
        else:
            history = self.connection.execute(
                """
                SELECT business_date, sum(rows_in) FROM ops.batches
                WHERE feed = ? AND status = 'loaded' AND part IS NOT DISTINCT FROM ? AND business_date < ?
                GROUP BY business_date ORDER BY business_date DESC LIMIT ?
                """,
                [self.feed.name, file.part, day, rules.history],
            ).fetchall()
            interval = expected_interval([(row[0], float(row[1])) for row in history], day, rules)
            if interval is None or found.rows_in >= interval.low or interval.holds(found.rows_in):
                return
            problem = Problem(
                "source_partial",
                f"{found.rows_in} records; after {interval.points} earlier dates {interval.expected:.0f} were expected, at "
                f"least {interval.low:.0f}",
                reject,
                {"rows": found.rows_in, "expected": round(interval.expected), "low": round(interval.low),
                 "high": round(interval.high), "points": interval.points, "model": interval.model},
            )  # fmt: skip
        if reject:
            found.reject(problem.kind, problem.message, **problem.evidence)
        else:
            found.problems.append(problem)

    def _lateness(self, found: Examination, day: date, arrived_at: datetime) -> None:
        was_missing = self._one(
            "SELECT count(*) FROM ops.findings WHERE feed = ? AND business_date = ? AND kind = 'source_missing' AND state = 'open'",
            [self.feed.name, day],
        )
        if any(problem.kind == "source_duplicate" for problem in found.problems):
            return
        late = lateness(self.feed, day, arrived_at, was_missing=bool(was_missing), first_load=self.first_load)
        if late.late and late.deadline is not None:
            found.problems.append(
                Problem(
                    "source_late",
                    f"arrived {arrived_at:%Y-%m-%d %H:%M} UTC, due {late.deadline:%Y-%m-%d %H:%M} UTC",
                    False,
                    {"arrived_at": arrived_at, "deadline": late.deadline, "reason": late.reason},
                )
            )

    def _commit(
        self, file: InboundFile, day: date, arrived_at: datetime, found: Examination, duplicate: _Taken | None
    ) -> tuple[Batch, Path]:
        """Everything of one file in one transaction; (batch, path in the archive)."""
        connection, feed = self.connection, self.feed
        rejected = found.rejected
        status = "duplicate" if duplicate is not None else "rejected" if rejected else "loaded"
        target = kept_files.archive_path(self.archive, feed.domain, feed.name, day, found.scan.sha256, file.name)
        connection.execute("BEGIN TRANSACTION")
        try:
            sequence = journal.next_sequence(connection)
            batch_id = f"{feed.name}-{sequence}-{found.scan.sha256[:8]}"
            replaced = self._replaced(file, day) if status == "loaded" else []
            loaded = found.rows_good if status == "loaded" else 0
            message = self._message(found, replaced)
            kind = first_finding((problem.kind for problem in found.problems), rejected=rejected is not None)
            batch = Batch(
                batch_id, feed.name, file.name, day, status, sequence,
                found.rows_in if status != "duplicate" else 0, loaded,
                found.rows_refused if status != "duplicate" else 0,
                found.rows_filtered, found.rows_collapsed, kind, message, replaced[0] if replaced else None,
            )  # fmt: skip
            if status == "loaded":
                self._write_rows(found, batch, replaced)
            elif status == "rejected":
                self._quarantine_whole(file, batch, found)
            journal.write_batch(
                connection, batch, domain=feed.domain, part=file.part,
                archive_path=target.relative_to(self.archive).as_posix(), sha256=found.scan.sha256, size=found.scan.size,
                arrived_at=arrived_at, version=found.contract.version, control_rows=found.control_rows, now=self.now,
                run_id=self.run_id,
            )  # fmt: skip
            findings = self._findings(file, batch, found)
            self._resolve(batch, findings)
            journal.write_findings(connection, findings, self.now, self.run_id)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self.result.findings += findings
        return batch, target

    def _resolve(self, batch: Batch, findings: list[Finding]) -> None:
        if batch.status == "duplicate":
            return
        # Whatever came, the file of this date is no longer missing; a loaded one settles all that was said of the date.
        kinds = None if batch.status == "loaded" else ["source_missing", *{finding.kind for finding in findings}]
        self.result.resolved += journal.resolve(
            self.connection, self.feed.name, batch.business_date, kinds, self.now, batch.batch_id
        )
        if batch.status == "loaded":
            self.result.resolved += journal.resolve_events(self.connection, self.feed.name, self.now, batch.batch_id)

    def _replaced(self, file: InboundFile, day: date) -> list[str]:
        rows = self.connection.execute(
            """
            SELECT batch_id FROM ops.batches
            WHERE feed = ? AND business_date = ? AND part IS NOT DISTINCT FROM ? AND status = 'loaded'
            """,
            [self.feed.name, day, file.part],
        ).fetchall()
        return [row[0] for row in rows]

    def _message(self, found: Examination, replaced: list[str]) -> str | None:
        parts = [problem.message for problem in found.problems]
        if replaced:
            parts.insert(0, f"corrected redelivery: replaces batch {', '.join(replaced)}")
        return "; ".join(parts) or None

    def _write_rows(self, found: Examination, batch: Batch, replaced: list[str]) -> None:
        """Bronze rows, quarantine and touched dates of a loaded file, after the rows of the batch that it replaces."""
        stage, connection, table = found.stage, self.connection, f"bronze.{identifier(self.feed.name)}"
        assert stage is not None
        touched: set[date] = set()
        for old in replaced:
            rows = connection.execute(
                f"DELETE FROM {table} WHERE _batch_id = ? RETURNING business_date", [old]
            ).fetchall()
            touched |= {row[0] for row in rows}
            connection.execute("UPDATE ops.batches SET status = 'replaced' WHERE batch_id = ?", [old])
            connection.execute("DELETE FROM ops.quarantine WHERE batch_id = ?", [old])
        good = f"_state = {GOOD_STATE}"
        if found.rows_repeated:
            good += f" AND {stage.ordinal} NOT IN (SELECT _ord FROM {REPEATED})"
        names = [name for name in found.contract.columns if name != "business_date"]
        columns = "".join(f"{identifier(name)}, " for name in names)
        connection.execute(
            f"""
            INSERT INTO {table} ({columns}business_date, _batch_id, _line, _load_seq, ingestion_timestamp)
            SELECT {columns}{stage.business_date}, {literal(batch.batch_id)}, {stage.line}, {batch.load_seq}::BIGINT,
                   TIMESTAMP '{journal.naive(self.now)}'
            FROM {STAGED} WHERE {good}
            """
        )
        if stage.date_column is None:
            touched.add(found.file_date)
        else:
            rows = connection.execute(f"SELECT DISTINCT {stage.business_date} FROM {STAGED} WHERE {good}").fetchall()
            touched |= {row[0] for row in rows}
        connection.execute(
            "INSERT INTO ops.touched_dates SELECT ?, unnest(?::DATE[]), ?",
            [self.feed.name, sorted(touched), batch.load_seq],
        )
        self.result.touched_dates = sorted({*self.result.touched_dates, *touched})
        if found.rows_refused:
            connection.execute(
                f"""
                INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, column_name, reason, reasons, rows)
                SELECT ?, ?, ?, line, raw_text, column_name, reason, reasons, 1 FROM {REFUSED} ORDER BY line
                """,
                [batch.batch_id, batch.feed, batch.file_name],
            )

    def _quarantine_whole(self, file: InboundFile, batch: Batch, found: Examination) -> None:
        problem = found.rejected
        assert problem is not None
        with file.path.open("rb") as data:
            head = data.read(400).decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self.connection.execute(
            "INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, reason, reasons, rows) VALUES (?, ?, ?, 0, ?, ?, ?, ?)",
            [
                batch.batch_id, batch.feed, batch.file_name, head, problem.message,
                json.dumps([{"column": None, "reason": problem.message, "value": None}]), batch.rows_quarantined,
            ],
        )  # fmt: skip

    def _findings(self, file: InboundFile, batch: Batch, found: Examination) -> list[Finding]:
        findings = []
        for problem in found.problems:
            # Refused rows of a loaded file stand in quarantine, with a check of their own: nothing is open about the file.
            settled = problem.kind == "data_invalid" and not problem.rejects
            findings.append(
                Finding(
                    problem.kind, self.feed.name, batch.business_date, file.name, f"{file.name}: {problem.message}",
                    {"batch_id": batch.batch_id, "business_date": batch.business_date, **problem.evidence},
                    "resolved" if settled else "open", batch.batch_id,
                )
            )  # fmt: skip
        return findings

    def _keep(self, file: InboundFile, sha256: str, target: Path) -> None:
        """Archive a committed file, and let it leave the inbound folder when every feed has it."""
        kept_files.keep(file.path, target)
        if file.control is not None:
            kept_files.keep(file.control, target.with_name(f"{target.name}.{file.control.name}"))
        self._release(file, sha256)

    def _release(self, file: InboundFile, sha256: str) -> None:
        for name, patterns in self.siblings.items():
            if not any(compile_inbound(pattern).match(file.name) for pattern in patterns):
                continue
            rows = self.connection.execute(
                "SELECT status, archive_path FROM ops.batches WHERE feed = ? AND sha256 = ?", [name, sha256]
            ).fetchall()
            if not any(
                status in ("loaded", "replaced", "duplicate")
                or kept_files.is_same_delivery(file.path, self.archive / kept)
                for status, kept in rows
            ):
                return
        kept_files.release(file.path, [file.control] if file.control is not None else [])

    def _missing(self, left: set[date]) -> None:
        """Record the dates whose file is due and not there."""
        rows = self.connection.execute(
            "SELECT DISTINCT business_date FROM ops.batches WHERE feed = ? AND status <> 'duplicate'", [self.feed.name]
        ).fetchall()
        known = {row[0] for row in rows} | left
        recorded = {
            row[0]
            for row in self.connection.execute(
                "SELECT business_date FROM ops.findings WHERE feed = ? AND kind = 'source_missing' AND state = 'open'",
                [self.feed.name],
            ).fetchall()
        }
        findings = [
            Finding(
                "source_missing", self.feed.name, day, None,
                f"no file of {self.feed.name} for {day} ({', '.join(self.feed.inbound)})"
                + (f"; contact {self.feed.contact}" if self.feed.contact else ""),
                {"expected": self.feed.expected.kind, "inbound": list(self.feed.inbound)},
            )
            for day in missing_dates(self.feed, known, self.now)
            if day not in recorded
        ]  # fmt: skip
        if findings:
            self.connection.execute("BEGIN TRANSACTION")
            try:
                journal.write_findings(self.connection, findings, self.now, self.run_id)
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
        self.result.findings += findings

    def _failed(self, file: InboundFile, day: date, error: Exception) -> None:
        """A finding for what nobody foresaw; the file stays inbound and is tried again by the next run."""
        kind = "code_error"
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
            kind = "resource_exhausted"
        elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            kind = "storage_full"
        elif isinstance(error, duckdb.BinderException | duckdb.ParserException | duckdb.CatalogException):
            kind = "config_error"
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "; look at the contract's expressions, filter and rules" if kind == "config_error" else ""
        finding = Finding(
            kind, self.feed.name, day, file.name, f"{file.name} could not be landed ({type(error).__name__}: {text}){hint}",
            {"error": type(error).__name__, "message": text},
        )  # fmt: skip
        journal.write_findings(self.connection, [finding], self.now, self.run_id)
        self.result.findings.append(replace(finding))
