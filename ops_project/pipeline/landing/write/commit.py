"""The one transaction of a file: bronze rows, batch, quarantine, touched dates and findings, all or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.findings import first as first_finding
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.inbox import InboundFile
from ops_project.pipeline.landing.read.sql import identifier, literal
from ops_project.pipeline.landing.read.stage import GOOD_STATE, REFUSED, REPEATED, STAGED
from ops_project.pipeline.landing.result import Batch, Finding
from ops_project.pipeline.landing.write import archive as kept_files
from ops_project.pipeline.landing.write import journal

SHOWN_BYTES = 400


def commit(
    context: Context, file: InboundFile, day: date, arrived_at: datetime, found: Examination, *, is_duplicate: bool
) -> tuple[Batch, Path]:
    """Write what was found; (batch, where the file belongs in the archive)."""
    feed, rejected = context.feed, found.rejected
    status = "duplicate" if is_duplicate else "rejected" if rejected else "loaded"
    target = kept_files.archive_path(context.archive, feed.domain, feed.name, day, found.scan.sha256, file.name)
    with journal.transaction(context.connection):
        sequence = journal.next_sequence(context.connection)
        standing = [] if is_duplicate else _standing(context, file, day)
        replaced = standing if status == "loaded" else []
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
            message=_message(found, replaced),
            replaces_batch_id=replaced[0] if replaced else None,
        )
        touched: list[date] = []
        if status == "loaded":
            touched = _write_rows(context, found, batch, replaced)
        elif status == "rejected":
            _quarantine_whole(context, file, batch, found)
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
            control_rows=found.control_rows,
            now=context.now,
            run_id=context.run_id,
        )
        findings = _findings(context, file, batch, found, standing)
        resolved = journal.resolve(context.connection, batch, file.part, context.now)
        if status == "duplicate" and resolved:
            # Somebody was asked for the file again: the answer is nothing to be told of.
            findings = [replace(finding, state="resolved") for finding in findings]
        journal.write_findings(context.connection, findings, context.now, context.run_id)
    context.result.findings += findings
    context.result.resolved += resolved
    context.result.touched_dates = sorted({*context.result.touched_dates, *touched})
    return batch, target


def _standing(context: Context, file: InboundFile, day: date) -> list[str]:
    found = context.rows(
        """
        SELECT batch_id FROM ops.batches
        WHERE feed = ? AND business_date = ? AND part IS NOT DISTINCT FROM ? AND status = 'loaded'
        """,
        [context.feed.name, day, file.part],
    )
    return [row[0] for row in found]


def _message(found: Examination, replaced: list[str]) -> str | None:
    parts = [problem.message for problem in found.problems]
    if replaced:
        parts.insert(0, f"corrected redelivery: replaces batch {', '.join(replaced)}")
    return "; ".join(parts) or None


def _write_rows(context: Context, found: Examination, batch: Batch, replaced: list[str]) -> list[date]:
    """Bronze rows and quarantine in place of those of the replaced batch; the business dates that changed."""
    stage, connection, table = found.stage, context.connection, f"bronze.{identifier(context.feed.name)}"
    assert stage is not None
    touched: set[date] = set()
    for old in replaced:
        # The old dates first: DELETE … RETURNING would bring every row of the batch into memory.
        touched |= {
            row[0] for row in context.rows(f"SELECT DISTINCT business_date FROM {table} WHERE _batch_id = ?", [old])
        }
        connection.execute(f"DELETE FROM {table} WHERE _batch_id = ?", [old])
        connection.execute("UPDATE ops.batches SET status = 'replaced' WHERE batch_id = ?", [old])
        connection.execute("DELETE FROM ops.quarantine WHERE batch_id = ?", [old])
    good = f"_state = {GOOD_STATE}"
    if found.rows_repeated:
        good += f" AND {stage.ordinal} NOT IN (SELECT _ord FROM {REPEATED})"
    columns = "".join(f"{identifier(name)}, " for name in found.contract.columns if name != "business_date")
    connection.execute(
        f"""
        INSERT INTO {table} ({columns}business_date, _batch_id, _line, _load_seq, ingestion_timestamp)
        SELECT {columns}{stage.business_date}, {literal(batch.batch_id)}, {stage.line}, {batch.load_seq}::BIGINT,
               TIMESTAMP '{journal.naive(context.now)}'
        FROM {STAGED} WHERE {good}
        """
    )
    if stage.date_column is None:
        touched.add(found.file_date)
    else:
        touched |= {row[0] for row in context.rows(f"SELECT DISTINCT {stage.business_date} FROM {STAGED} WHERE {good}")}
    connection.execute(
        "INSERT INTO ops.touched_dates SELECT ?, unnest(?::DATE[]), ?", [batch.feed, sorted(touched), batch.load_seq]
    )
    if found.rows_refused:
        connection.execute(
            f"""
            INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, column_name, reason, reasons, rows)
            SELECT ?, ?, ?, line, raw_text, column_name, reason, reasons, 1 FROM {REFUSED} ORDER BY line
            """,
            [batch.batch_id, batch.feed, batch.file_name],
        )
    return sorted(touched)


def _quarantine_whole(context: Context, file: InboundFile, batch: Batch, found: Examination) -> None:
    """One row that stands for every line of a rejected file."""
    problem = found.rejected
    assert problem is not None
    with file.path.open("rb") as data:
        head = data.read(SHOWN_BYTES).decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    context.connection.execute(
        """
        INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, reason, reasons, rows)
        VALUES (?, ?, ?, 0, ?, ?, ?, ?)
        """,
        [
            batch.batch_id,
            batch.feed,
            batch.file_name,
            head,
            problem.message,
            json.dumps([{"column": None, "reason": problem.message, "value": None}]),
            batch.rows_quarantined,
        ],
    )


def _findings(
    context: Context, file: InboundFile, batch: Batch, found: Examination, standing: list[str]
) -> list[Finding]:
    findings = []
    for problem in found.problems:
        # Refused rows of a loaded file stand in quarantine and have a check of their own: about the file nothing
        # is open.
        settled = problem.kind == "data_invalid" and not problem.rejects
        findings.append(
            Finding(
                kind=problem.kind,
                feed=context.feed.name,
                business_date=batch.business_date,
                file_name=file.name,
                message=f"{file.name}: {problem.message}"
                + (f"; batch {', '.join(standing)}, loaded before, stays" if problem.rejects and standing else ""),
                evidence={"batch_id": batch.batch_id, "business_date": batch.business_date, **problem.evidence},
                state="resolved" if settled else "open",
                batch_id=batch.batch_id,
            )
        )
    return findings
