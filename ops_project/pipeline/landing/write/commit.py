"""Writes a file in one transaction: bronze rows, batch, quarantine, touched dates and findings. Either all are written
or none.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb

from ops_project.pipeline.landing import overruled
from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.findings import first as first_finding
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.inbox import InboundFile
from ops_project.pipeline.landing.result import Batch, Finding
from ops_project.pipeline.landing.write import archive as kept_files
from ops_project.pipeline.landing.write import attempts, expected, journal, quarantine, rows
from ops_project.sql_text import literal


def commit(
    context: Context,
    file: InboundFile,
    day: date,
    arrived_at: datetime,
    found: Examination,
    *,
    engine: duckdb.DuckDBPyConnection,
    is_duplicate: bool = False,
    replays: Taken | None = None,
) -> tuple[Batch, Path]:
    """Write the result of an examination. Returns the batch, and the path of the file in the archive.

    `engine`: the connection that holds the staged rows.
    `replays`: the batch whose archived file is loaded again.

    The status of `replays` becomes `replaced` in three cases:

    - It had been rejected.
    - It is loaded, and the file is loaded again.
    - It is loaded, but the file is now rejected and its date is not plausible.
    """
    feed, rejected = context.feed, found.rejected
    status = "duplicate" if is_duplicate else "rejected" if rejected else "loaded"
    target = kept_files.archive_path(
        context.archive, domain=feed.domain, feed=feed.name, day=day, sha256=found.scan.sha256, name=file.name
    )
    with journal.transaction(context.connection):
        before = attempts.refused_lines(context, replays) if replays is not None else {}
        sequence = context.deliveries.next_sequence()
        standing = [] if is_duplicate else context.deliveries.standing(day, file.part)
        replaced = standing if status == "loaded" else []
        taken_out = (
            replays is not None
            and replays.status == "loaded"
            and status == "rejected"
            and not _is_plausible(context, day)
        )
        if replays is not None and (replays.status == "rejected" or taken_out):
            replaced = [*replaced, replays]  # The finding that is valid now belongs to the new batch.
        batch = Batch(
            batch_id=f"{feed.name}-{sequence}-{found.scan.sha256[:8]}",
            feed=feed.name,
            file_name=file.name,
            business_date=day,
            status=status,
            load_seq=sequence,
            rows_in=0 if is_duplicate else found.rows_in,
            rows_loaded=found.rows_good if status == "loaded" else 0,
            rows_quarantined=0 if is_duplicate else found.rows_refused,
            rows_filtered=found.rows_filtered,
            rows_collapsed=found.rows_collapsed,
            finding=first_finding((problem.kind for problem in found.problems), rejected=rejected is not None),
            message=_message(found, replaced, replays),
            replaces_batch_id=replaced[0].batch_id if replaced else None,
        )
        touched: list[date] = []
        if status == "loaded":
            touched = rows.write(context, engine, found, batch, replaced)
        elif status == "rejected":
            touched = sorted(rows.take_back(context, batch, replaced) | context.overruled.dates())
            quarantine.quarantine_whole(context, file, batch, found)
        begun = expected.before_the_first(context, day) if status == "loaded" else set()
        changed = overruled.with_days_after(feed, begun.union(touched))
        listed = ", ".join(f"({literal(feed.name)}, DATE '{day}', {sequence})" for day in changed)
        if listed:
            context.connection.execute(f"INSERT INTO ops.touched_dates (feed, business_date, load_seq) VALUES {listed}")
        journal.write_batch(
            context.connection,
            batch,
            domain=feed.domain,
            part=file.part,
            archive_path=target.relative_to(context.archive).as_posix(),
            sha256=found.scan.sha256,
            size=found.scan.size,
            arrived_at=arrived_at,
            version=found.contract.version,
            contract_hash=(contract := context.hash_of(found.contract)),
            control_rows=found.control_rows,
            now=context.now,
            run_id=context.run_id,
        )
        findings = _findings(context, file, batch, found, [] if taken_out else standing)
        if replays is not None and (before or batch.rows_quarantined):
            # If the file was loaded before and is rejected now, the loaded rows and their quarantine stay as they are.
            stays = status == "rejected" and replays.status == "loaded" and not taken_out
            stands = replays.batch_id if stays else batch.batch_id
            findings += attempts.note(context, stands, replays, _lines_before(before, batch, found))
        resolved = 0
        if context.deliveries.open_findings():
            resolved = journal.resolve(context.connection, batch, file.part, context.now)
        if taken_out or (status == "duplicate" and resolved):
            # These findings need no action. Either a person asked for the removal of the rows, or the source has sent
            # the file again as it was asked to.
            findings = [replace(finding, state="resolved") for finding in findings]
        journal.write_findings(context.connection, findings, context.now, context.run_id)
    taken = Taken(
        batch_id=batch.batch_id,
        file_name=file.name,
        status=status,
        archive_path=target,
        business_date=day,
        part=file.part,
        sha256=found.scan.sha256,
        arrived_at=arrived_at,
        load_seq=batch.load_seq,
        rows_in=batch.rows_in,
        contract=contract,
    )
    context.deliveries.add(taken, [old.batch_id for old in replaced])
    if findings or resolved:
        context.deliveries.findings_changed()
    context.result.findings += findings
    context.result.resolved += resolved
    context.result.touched_dates = sorted({*context.result.touched_dates, *touched})
    return batch, target


def _is_plausible(context: Context, day: date) -> bool:
    """Whether a file may have this date. An earlier version also loaded files with other dates."""
    plausible = context.feed.plausible
    return plausible.first <= day <= plausible.last(context.now.astimezone(context.feed.date_zone).date())


def _lines_before(before: dict[int, int], batch: Batch, found: Examination) -> tuple[int, int]:
    """The number of rows that were tried again, and the number of these rows that passed."""
    tried = sum(before.values())
    if batch.status != "loaded":
        return tried, 0
    return tried, max(0, tried - found.rows_refused)


def _message(found: Examination, replaced: list[Taken], replays: Taken | None) -> str | None:
    parts = [problem.message for problem in found.problems]
    if replaced:
        what = "replayed under the present contract" if replays is not None else "corrected redelivery"
        parts.insert(0, f"{what}: replaces batch {', '.join(batch.batch_id for batch in replaced)}")
    return "; ".join(parts) or None


def _findings(
    context: Context, file: InboundFile, batch: Batch, found: Examination, standing: list[Taken]
) -> list[Finding]:
    findings = []
    for problem in found.problems:
        # Refused rows of a loaded file are in quarantine, and a check of the quarantine reports them. So no finding
        # about them stays open.
        settled = problem.kind == "data_invalid" and not problem.rejects
        findings.append(
            Finding(
                kind=problem.kind,
                feed=context.feed.name,
                business_date=batch.business_date,
                file_name=file.name,
                message=f"{file.name}: {problem.message}"
                + (
                    f"; batch {', '.join(old.batch_id for old in standing)}, loaded before, stays"
                    if problem.rejects and standing
                    else ""
                ),
                evidence={"batch_id": batch.batch_id, "business_date": batch.business_date, **problem.evidence},
                state="resolved" if settled else "open",
                batch_id=batch.batch_id,
            )
        )
    return findings
