"""Inbound files of one feed → bronze rows, quarantine, findings, archive. One transaction a file.

Killed at any point, a plain rerun goes on: what was committed is only archived, what was not is done again. Input never
raises: whatever is wrong with a file becomes a finding, and the other files go on.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Collection, Iterable
from datetime import date, datetime
from pathlib import Path

import duckdb

from ops_project.masking import mask
from ops_project.model.feed.feed import Feed
from ops_project.model.feed.inbound import compile_inbound
from ops_project.model.finding import FileFindingKind
from ops_project.pipeline.landing.context import Context, siblings_of, taken
from ops_project.pipeline.landing.examine import suspicion
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.examine.examine import examine
from ops_project.pipeline.landing.inbox import InboundFile, identity, is_being_written, pending
from ops_project.pipeline.landing.read.scan import scan
from ops_project.pipeline.landing.read.stage import BAD, REFUSED, REPEATED, STAGED
from ops_project.pipeline.landing.result import Finding, LandingResult, Progress
from ops_project.pipeline.landing.write import archive as kept_files
from ops_project.pipeline.landing.write import journal
from ops_project.pipeline.landing.write.absence import record_ahead, record_missing
from ops_project.pipeline.landing.write.commit import commit
from ops_project.pipeline.landing.write.tables import create_tables

# Only SQL that stands in a contract can raise these.
CONTRACT_ERRORS = (
    duckdb.BinderException,
    duckdb.ParserException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)
TEMPORARY = (STAGED, REFUSED, BAD, REPEATED, "landing_raw", "landing_text")


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
    context = Context(connection, feed, inbound, archive, now, run_id)
    context.asked_for = dates is not None
    if not feed.enabled:
        return context.result
    others = siblings_of(context, siblings)
    present: set[date] = set()
    without_control: set[date] = set()
    ahead: dict[str, date] = {}
    today = now.astimezone(feed.arrival.zone).date()
    arrivals = [(file, *_arrival(file, feed, now)) for file in pending(feed, inbound)]
    suspicion.judge_times(
        context, [(day, arrived_at) for file, day, arrived_at in arrivals if not file.waits and day <= today]
    )
    for file, day, arrived_at in arrivals:
        if day > today:
            if file.modified_at <= now:  # else the past is being replayed: it has not arrived yet
                context.result.waiting.append(file.name)
                ahead[file.name] = day
            continue
        if file.waits:
            context.result.waiting.append(file.name)
            without_control.add(day)
        elif dates is not None and day not in dates:
            context.result.waiting.append(file.name)
            present.add(day)
        else:
            before = len(context.result.batches)
            _land(context, file, day, arrived_at, others)
            if len(context.result.batches) == before:
                present.add(day)
            elif progress is not None:
                progress(context.result.batches[-1])
    journal.close_old(connection, feed.name, now)
    record_ahead(context, ahead, today)
    record_missing(context, present, without_control)
    return context.result


def _arrival(file: InboundFile, feed: Feed, now: datetime) -> tuple[date, datetime]:
    """The file's business date, and the moment at which it came."""
    arrived_at = min(file.modified_at, now)
    return file.business_date or arrived_at.astimezone(feed.arrival.zone).date(), arrived_at


def _land(
    context: Context, file: InboundFile, day: date, arrived_at: datetime, others: dict[str, tuple[str, ...]]
) -> None:
    """One file; what goes wrong unexpectedly becomes a finding, and the file stays where it is."""
    folder = context.archive.parent / "warehouse"
    folder.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(prefix="landing-", dir=folder))
    try:
        _take(context, file, day, arrived_at, working / "text", others)
    except Exception as error:
        _failed(context, file, day, error)
    finally:
        shutil.rmtree(working, ignore_errors=True)
        context.connection.execute("; ".join(f"DROP TABLE IF EXISTS temp.{table}" for table in TEMPORARY))


def _take(
    context: Context,
    file: InboundFile,
    day: date,
    arrived_at: datetime,
    spool: Path,
    others: dict[str, tuple[str, ...]],
) -> None:
    feed = context.feed
    for batch in taken(context, "file_name", file.name):
        if kept_files.is_same_delivery(file.path, batch.archive_path):
            _release(context, file, others)  # taken and kept; it was left for other feeds, or the run was killed
            return
    before, contract = identity(file.path), feed.at(day)
    scanned = scan(file.path, contract.format, spool)
    known = taken(context, "sha256", scanned.sha256)
    for batch in known:
        if batch.file_name == file.name and not batch.archive_path.exists():
            _keep(context, file, batch.archive_path, others)  # committed, and killed before it was archived
            return
    same = suspicion.duplicate_of(context, day, scanned, known)
    if same is not None:
        found = Examination(scanned, contract, day)
        found.problems.append(suspicion.duplicate(context, scanned, same))
    else:
        found = examine(context.connection, feed, file, day, scanned)
        suspicion.judge_volume(context, found, file, day)
        suspicion.judge_lateness(context, found, file, day, arrived_at)
    if identity(file.path) != before or is_being_written(file.path):
        context.result.waiting.append(file.name)  # somebody is still writing it: the next run takes it
        return
    committed, target = commit(context, file, day, arrived_at, found, is_duplicate=same is not None)
    context.result.batches.append(committed)
    if identity(file.path) != before:
        return  # replaced in this moment: what lies there now is a delivery of its own
    _keep(context, file, target, others)


def _keep(context: Context, file: InboundFile, target: Path, others: dict[str, tuple[str, ...]]) -> None:
    """Archive a committed file, and let it leave the inbound folder when every feed has it."""
    kept_files.keep(file.path, target)
    if file.control is not None:
        kept_files.keep(file.control, target.with_name(kept_files.shortened(f"{target.name}.{file.control.name}")))
    _release(context, file, others)


def _release(context: Context, file: InboundFile, others: dict[str, tuple[str, ...]]) -> None:
    for name, patterns in others.items():
        if not any(compile_inbound(pattern).match(file.name) for pattern in patterns):
            continue
        batches = context.rows(
            "SELECT archive_path FROM ops.batches WHERE feed = ? AND file_name = ?", [name, file.name]
        )
        if not any(kept_files.is_same_delivery(file.path, context.archive / row[0]) for row in batches):
            return
    kept_files.release(file.path, [file.control] if file.control is not None else [])


def _failed(context: Context, file: InboundFile, day: date, error: Exception) -> None:
    """A finding for what nobody foresaw; the file stays inbound and is tried again by the next run."""
    kind: FileFindingKind = "code_error"
    hint = ""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        kind = "resource_exhausted"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        kind = "storage_full"
    elif isinstance(error, CONTRACT_ERRORS):
        kind = "config_error"
        hint = "; look at the contract's expressions, filter and rules"
    text = mask(str(error).splitlines()[0]) if str(error) else type(error).__name__
    finding = Finding(
        kind=kind,
        feed=context.feed.name,
        business_date=day,
        file_name=file.name,
        message=f"{file.name} could not be landed ({type(error).__name__}: {text}){hint}",
        evidence={"error": type(error).__name__, "message": text},
    )
    journal.write_findings(context.connection, [finding], context.now, context.run_id)
    context.result.findings.append(finding)
