"""Lands files one after the other. Each file gets a private name in a private folder. There it is read and examined.
Then it is committed and archived.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from ops_project.counted import counted
from ops_project.model.feed.inbound import compile_inbound
from ops_project.pipeline.landing.bench import closed_engine, needs_bench, without_file_cache
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.examine import examine as examination
from ops_project.pipeline.landing.examine import suspicion
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.examine.examine import examine
from ops_project.pipeline.landing.failed import record_failure
from ops_project.pipeline.landing.inbox import InboundFile, identity, is_being_written, private_name
from ops_project.pipeline.landing.read.fragments import check_fragments
from ops_project.pipeline.landing.read.scan import Scan, scan
from ops_project.pipeline.landing.read.stage import BAD, REFUSED, REPEATED, STAGED
from ops_project.pipeline.landing.write import archive as kept_files
from ops_project.pipeline.landing.write import journal
from ops_project.pipeline.landing.write.commit import commit

# The staged rows of a file above this size are dropped before the next file is read. The rows of a smaller file are
# only replaced when the next file is staged.
LARGE = 10_000_000
TEMPORARY = (STAGED, REFUSED, BAD, REPEATED, "landing_raw", "landing_text")
DROP_ALL = "; ".join(f"DROP TABLE IF EXISTS temp.{table}" for table in TEMPORARY)
SPOOL = ".spooled text"


class Workbench:
    """The place where the files of one call are examined: a private folder and the engine that reads them.

    Both are made for the first file and removed at the end. So a run without files makes no folder and no engine.
    """

    def __init__(self, context: Context, siblings: dict[str, tuple[str, ...]]) -> None:
        self.context, self.siblings = context, siblings
        self._closing = ExitStack()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._folder: Path | None = None
        self._is_large = False
        self._threads: int | None = None
        self._is_alone = False

    def __enter__(self) -> Workbench:
        return self

    def __exit__(self, *_: object) -> None:
        staged_here = self._engine is self.context.connection
        if not staged_here:  # The rows that another engine holds end with it.
            self._engine = None
        with self._closing:
            self._work_alone(False)
        if staged_here:
            self.context.connection.execute(DROP_ALL)

    @property
    def folder(self) -> Path:
        """An empty folder that only this process uses."""
        if self._folder is None:
            parent = self.context.archive.parent / "warehouse"
            parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="landing-", dir=parent))
            self._closing.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """The connection on which files are examined."""
        if self._engine is None:
            self._engine = self.context.connection
            if needs_bench(self.context.feed):
                self._engine = self._closing.enter_context(closed_engine(self.folder, self.context.connection))
            without_file_cache(self._engine)
        return self._engine

    def land(self, file: InboundFile, day: date, arrived_at: datetime) -> None:
        """Land one file. An unexpected error becomes a finding, and the file stays in the inbound folder."""
        with self.guarded(file.name, day):
            self._take(file, day, arrived_at)

    @contextmanager
    def guarded(self, file_name: str, day: date) -> Iterator[None]:
        """Within this context, every error becomes a finding about `file_name`. Afterwards the private file and the
        rows of a large file are removed.
        """
        try:
            yield
        except Exception as error:
            record_failure(self.context, file_name, day, error)
        finally:
            for path in self.folder.iterdir():
                if path.is_file():
                    path.unlink()
            if self._is_large:
                self.engine.execute(DROP_ALL)
                self._is_large = False

    def read(self, file: InboundFile, day: date) -> tuple[InboundFile, Scan]:
        """The file under a private name, and the result of a scan of its bytes."""
        control = None
        if file.control is not None:
            (folder := self.folder / "control").mkdir(exist_ok=True)
            control = private_name(file.control, folder)
        path = private_name(file.path, self.folder, lambda: _kept_by_others(self.context, file, self.siblings))
        private = replace(file, path=path, control=control)
        return private, self.scan(private, day)

    def scan(self, private: InboundFile, day: date) -> Scan:
        """Scan the bytes of a file that lies in this folder. Raises FragmentError if the contract contains SQL that is
        not allowed.
        """
        check_fragments(self.context.feed)
        scanned = scan(private.path, self.context.feed.at(day).format, self.folder / SPOOL)
        self._is_large = scanned.size > LARGE
        self._work_alone(scanned.text_size <= examination.SMALL)
        return scanned

    def _work_alone(self, alone: bool) -> None:
        """Execute the next statements in one thread, or again in as many threads as before.

        The statements of a small file have no work to share among threads. Waking other threads would cause a third of
        their cost.
        """
        if alone == self._is_alone:
            return
        connection = self.context.connection
        if self._threads is None:
            [(self._threads,)] = connection.execute("SELECT current_setting('threads')").fetchall()
        engines = [connection]
        if self._engine is not None and self._engine is not connection:
            engines.append(self._engine)
        for engine in engines:
            engine.execute(f"SET threads = {1 if alone else int(self._threads)}")
        self._is_alone = alone

    def _take(self, file: InboundFile, day: date, arrived_at: datetime) -> None:
        context = self.context
        for batch in context.deliveries.of_name(file.name):
            if kept_files.is_same_delivery(file.path, batch.archive_path):
                # The file is already archived. It was left here for other feeds, or the run was killed.
                _release(context, file, self.siblings)
                self._settled(file)
                return
        before = identity(file.path)
        private, scanned = self.read(file, day)
        known = context.deliveries.of_content(scanned.sha256)
        for batch in known:
            if batch.file_name == file.name and not batch.archive_path.exists():
                # The file was committed, but the run was killed before it archived the file.
                self._keep(private, file, batch.archive_path)
                [(status, rows)] = context.rows(
                    "SELECT status, rows_loaded FROM ops.batches WHERE batch_id = ?", [batch.batch_id]
                )
                context.result.recovered.append(
                    f"{file.name} had been taken by a run that was interrupted ({status}, "
                    f"{counted(rows, 'row')} loaded); "
                    "it is in the archive now"
                )
                self._settled(file)
                return
        found, same = self.examined(private, day, scanned, known, arrived_at)
        if identity(file.path) != before or is_being_written(file.path):
            context.result.waiting.append(file.name)  # A process still writes to the file, so the next run loads it.
            return
        committed, target = commit(
            context, private, day, arrived_at, found, engine=self.engine, is_duplicate=same is not None
        )
        context.result.batches.append(committed)
        if identity(file.path) != before:
            return  # The file was replaced at this moment, so the present file is another delivery.
        self._keep(private, file, target)

    def examined(
        self, file: InboundFile, day: date, scanned: Scan, known: list[Taken], arrived_at: datetime
    ) -> tuple[Examination, Taken | None]:
        """The examination of a file, and the batch that has already loaded the same bytes (None if there is none)."""
        context, contract = self.context, self.context.feed.at(day)
        same = suspicion.duplicate_of(
            context, day, file.part, scanned=scanned, known=known, contract=context.hash_of(contract)
        )
        if same is not None:
            found = Examination(scanned, contract, day)
            found.problems.append(suspicion.duplicate(scanned, same, len(known) + 1))
            return found, same
        found = examine(self.engine, context.feed, file, file_date=day, scanned=scanned, now=context.now)
        suspicion.judge_volume(context, found, file, day)
        suspicion.judge_revision(context, found, file, day, arrived_at)
        suspicion.judge_lateness(context, found, file, day, arrived_at)
        return found, None

    def _settled(self, file: InboundFile) -> None:
        """Close the findings about a file that an earlier run had committed but could not archive or remove."""
        context = self.context
        if not context.deliveries.open_findings():
            return
        if closed := journal.resolve_taken(context.connection, context.feed.name, file.name, context.now):
            context.result.resolved += closed
            context.deliveries.findings_changed()

    def _keep(self, private: InboundFile, file: InboundFile, target: Path) -> None:
        """Archive a committed file. Remove it from the inbound folder when every feed that matches it has taken it."""
        kept_files.keep(private.path, target)
        if private.control is not None:
            name = kept_files.shortened(f"{target.name}.{private.control.name}")
            kept_files.keep(private.control, target.with_name(name))
        _release(self.context, file, self.siblings)


def _release(context: Context, file: InboundFile, others: dict[str, tuple[str, ...]]) -> None:
    for name, patterns in others.items():
        if not any(compile_inbound(pattern).match(file.path.name) for pattern in patterns):
            continue
        if not any(kept_files.is_same_delivery(file.path, path) for path in _archived(context, name, file)):
            return
    kept_files.release(file.path, [file.control] if file.control is not None else [])


def _archived(context: Context, feed: str, file: InboundFile) -> list[Path]:
    """The files with this name in the archive of a feed."""
    sql = "SELECT archive_path FROM ops.batches WHERE feed = ? AND file_name = ?"
    return [context.archive / path for (path,) in context.rows(sql, [feed, file.name])]


def _kept_by_others(context: Context, file: InboundFile, others: dict[str, tuple[str, ...]]) -> int:
    """The number of other feeds whose archive holds this file itself, and not a copy of it."""
    return sum(
        any(path.exists() and path.samefile(file.path) for path in _archived(context, name, file)) for name in others
    )
