"""Reads archived files again under the present contract. The reason is a corrected contract, or refused rows that are
to be tried again. Every file is examined and written as if it had just come. The files keep their original order, and
each has its own transaction. If a file is refused, its old rows stay. If the archived file has changed since it was
taken, it is never loaded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from ops_project.model.feed.feed import Feed
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.contract_hash import contract_hash
from ops_project.pipeline.landing.decide.replays import Refused, ReplayOrder, standing_of, to_replay
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.deliveries import Deliveries
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.examine.examine import examine
from ops_project.pipeline.landing.inbox import InboundFile, control_path, identity, private_name
from ops_project.pipeline.landing.read.stage import REFUSED
from ops_project.pipeline.landing.result import Finding, LandingResult, Progress
from ops_project.pipeline.landing.workbench import Workbench
from ops_project.pipeline.landing.write import archive as kept_files
from ops_project.pipeline.landing.write import attempts, journal
from ops_project.pipeline.landing.write.commit import commit
from ops_project.pipeline.landing.write.tables import create_tables


@dataclass(frozen=True)
class Outdated:
    """Files of a feed that were loaded under a contract that has changed since."""

    feed: str
    files: int
    first: date
    last: date

    @property
    def offer(self) -> str:
        """One sentence that says what happened and what can be done."""
        span = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        files, were = ("1 file", "was") if self.files == 1 else (f"{self.files:,} files", "were")
        return (
            f"feed {self.feed}: {files} of {span} {were} loaded under an earlier contract; "
            f"`ops feed replay {self.feed}` loads {'it' if self.files == 1 else 'them'} again under the present one"
        )


def replay(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    order: ReplayOrder,
    *,
    archive: Path,
    now: datetime,
    run_id: str | None = None,
    progress: Progress | None = None,
) -> LandingResult:
    """Read the archived files again that `order` names. A second call does nothing, unless the order names dates or
    batches.
    """
    create_tables(connection, [feed])
    connection.execute("SET preserve_insertion_order = true")
    context = Context(
        connection=connection, feed=feed, inbound=archive.parent / "inbound", archive=archive, now=now, run_id=run_id
    )
    chosen = to_replay(context.deliveries.all(), order, lambda day: contract_hash(feed, feed.at(day)))
    with Workbench(context, {}) as bench:
        for batch in chosen:
            with bench.guarded(batch.file_name, batch.business_date):
                _replay(bench, batch, only_refused=order.refused)
                if progress is not None and context.result.batches:
                    progress(context.result.batches[-1])
    return context.result


def deliveries(connection: duckdb.DuckDBPyConnection, feed: Feed, archive: Path) -> list[Taken]:
    """All batches of the feed, in the order in which they were taken."""
    return Deliveries(connection, feed.name, archive).all()


def feeds_of_batches(connection: duckdb.DuckDBPyConnection, batches: Collection[str]) -> set[str]:
    """The feeds that took these batches. A batch that does not exist is ignored."""
    rows = connection.execute("SELECT DISTINCT feed FROM ops.batches WHERE list_contains(?, batch_id)", [[*batches]])
    return {feed for (feed,) in rows.fetchall()}


def outdated(connection: duckdb.DuckDBPyConnection, feed: Feed) -> Outdated | None:
    """The files that were loaded under an earlier contract; None if there are none. Batches from versions that stored
    no hash of the contract are not counted.
    """
    rows = connection.execute(
        """
        SELECT business_date, contract_hash, count(*) FROM ops.batches
        WHERE feed = ? AND status = 'loaded' AND contract_hash IS NOT NULL GROUP BY ALL
        """,
        [feed.name],
    ).fetchall()
    changed = [(day, files) for day, hashed, files in rows if hashed != contract_hash(feed, feed.at(day))]
    if not changed:
        return None
    days = [day for day, _ in changed]
    return Outdated(feed.name, sum(files for _, files in changed), min(days), max(days))


def refused_groups(connection: duckdb.DuckDBPyConnection, feed: Feed, archive: Path) -> list[Refused]:
    """The rows in quarantine, by batch and reason. Only batches that are valid, or that were rejected after the valid
    one, are included.
    """
    standing = {batch.batch_id for batch in standing_of(Deliveries(connection, feed.name, archive).all())}
    rows = connection.execute(
        """
        SELECT quarantine.batch_id, column_name, quarantine.reason, sum(quarantine.rows), coalesce(max(attempts), 0),
               coalesce(sum(quarantine.rows) FILTER (WHERE parked_at IS NOT NULL), 0)
        FROM ops.quarantine AS quarantine
        INNER JOIN ops.batches AS batches USING (batch_id)
        LEFT JOIN ops.replay_attempts AS attempts
          ON attempts.feed = batches.feed AND attempts.sha256 = batches.sha256 AND attempts.line = quarantine.line
        WHERE quarantine.feed = ? GROUP BY ALL ORDER BY min(batches.load_seq), column_name, quarantine.reason
        """,
        [feed.name],
    ).fetchall()
    return [
        Refused(
            feed=feed.name,
            batch_id=batch_id,
            column=column,
            reason=reason,
            rows=int(count),
            attempts=int(attempts),
            parked=int(parked),
        )
        for batch_id, column, reason, count, attempts, parked in rows
        if batch_id in standing
    ]


def _replay(bench: Workbench, batch: Taken, *, only_refused: bool) -> None:
    context, path = bench.context, batch.archive_path
    if not path.is_file():
        _refuse(context, batch, f"is not in the archive any more ({path}): ask the source for it again")
        return
    [(arrived_at,)] = context.rows("SELECT arrived_at FROM ops.batches WHERE batch_id = ?", [batch.batch_id])
    named = bench.folder / Path(batch.file_name).name
    private_name(path, bench.folder).rename(named)
    file = InboundFile(
        path=named,
        business_date=batch.business_date,
        part=batch.part or "",
        size=named.stat().st_size,
        modified_at=arrived_at.replace(tzinfo=UTC),
        identity=identity(named),
        control=_control(bench, batch),
        waits=False,
    )
    scanned = bench.scan(file, batch.business_date)
    if scanned.sha256 != batch.sha256:
        _refuse(context, batch, f"has changed in the archive ({path}) since it was taken; restore it from a backup")
        return
    found = examine(bench.engine, context.feed, file, file_date=batch.business_date, scanned=scanned, now=context.now)
    last = context.feed.plausible.last(context.now.astimezone(context.feed.date_zone).date())
    if context.feed.match(file.name) is not None and batch.business_date > last and not found.rejected:
        found.reject(
            "data_invalid", f"the date in its name, {batch.business_date}, is after {last}, the last plausible one"
        )
    if only_refused and not _more_passes(context, found, batch, bench.engine):
        with journal.transaction(context.connection):
            tried = sum(attempts.refused_lines(context, batch).values())
            findings = attempts.note(context, batch.batch_id, batch, (tried, 0))
            journal.write_findings(context.connection, findings, context.now, context.run_id)
        context.deliveries.findings_changed()
        context.result.findings += findings
        return
    committed, _ = commit(
        context, file, batch.business_date, arrived_at.replace(tzinfo=UTC), found, engine=bench.engine, replays=batch
    )
    context.result.batches.append(committed)


def _more_passes(context: Context, found: Examination, batch: Taken, engine: duckdb.DuckDBPyConnection) -> bool:
    """Whether a row in quarantine would be loaded now. If no further row would be loaded, the file is left as it is."""
    if found.rejected is not None:
        return False
    if batch.status == "rejected":
        return True
    again = (
        {line for (line,) in engine.execute(f"SELECT line FROM {REFUSED}").fetchall()} if found.rows_refused else set()
    )
    return not again.issuperset(attempts.refused_lines(context, batch))


def _control(bench: Workbench, batch: Taken) -> Path | None:
    """A private copy or link of the control file that was archived with the batch. It has its archived name. None if
    there is no such file.
    """
    control = control_path(bench.context.feed, Path(batch.file_name))
    if control is None:
        return None
    kept = batch.archive_path.with_name(kept_files.shortened(f"{batch.archive_path.name}.{control.name}"))
    if not kept.is_file():
        return None
    (folder := bench.folder / "control").mkdir(exist_ok=True)
    return private_name(kept, folder)


def _refuse(context: Context, batch: Taken, words: str) -> None:
    finding = Finding(
        kind="data_invalid",
        feed=context.feed.name,
        business_date=batch.business_date,
        file_name=batch.file_name,
        message=f"{batch.file_name} {words}; its rows stay as they were loaded",
        evidence={"batch_id": batch.batch_id, "archive_path": str(batch.archive_path)},
        batch_id=batch.batch_id,
    )
    journal.write_findings(context.connection, [finding], context.now, context.run_id)
    context.deliveries.findings_changed()
    context.result.findings.append(finding)
