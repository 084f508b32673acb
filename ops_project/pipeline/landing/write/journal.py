"""Writes landing's own tables: batches and findings, inside the transaction of a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import duckdb

from ops_project.pipeline.landing.result import Batch, Finding

# These findings report an event that needs no action. The next run that loads a file closes them.
EVENTS = ("source_duplicate", "source_late")
SUSPICION = timedelta(days=7)


def naive(moment: datetime) -> datetime:
    """`moment` as the tables store it: UTC without a time zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def write_batch(
    connection: duckdb.DuckDBPyConnection,
    batch: Batch,
    *,
    domain: str,
    part: str,
    archive_path: str,
    sha256: str,
    size: int,
    arrived_at: datetime,
    version: int,
    contract_hash: str,
    control_rows: int | None,
    now: datetime,
    run_id: str | None,
) -> None:
    """Write one row of ops.batches."""
    connection.execute(
        """
        INSERT INTO ops.batches (
            batch_id, feed, domain, file_name, part, archive_path, sha256, size_bytes, arrived_at, business_date,
            load_seq, status, contract_version, contract_hash, rows_in, rows_loaded, rows_quarantined, rows_filtered,
            rows_collapsed, control_rows, finding, message, loaded_at, run_id, replaces_batch_id
        ) VALUES (
            $batch_id, $feed, $domain, $file_name, $part, $archive_path, $sha256, $size, $arrived_at, $business_date,
            $load_seq, $status, $version, $contract_hash, $rows_in, $rows_loaded, $rows_quarantined, $rows_filtered,
            $rows_collapsed, $control_rows, $finding, $message, $loaded_at, $run_id, $replaces
        )
        """,
        {
            "batch_id": batch.batch_id,
            "feed": batch.feed,
            "domain": domain,
            "file_name": batch.file_name,
            "part": part,
            "archive_path": archive_path,
            "sha256": sha256,
            "size": size,
            "arrived_at": naive(arrived_at),
            "business_date": batch.business_date,
            "load_seq": batch.load_seq,
            "status": batch.status,
            "version": version,
            "contract_hash": contract_hash,
            "rows_in": batch.rows_in,
            "rows_loaded": batch.rows_loaded,
            "rows_quarantined": batch.rows_quarantined,
            "rows_filtered": batch.rows_filtered,
            "rows_collapsed": batch.rows_collapsed,
            "control_rows": control_rows,
            "finding": batch.finding,
            "message": batch.message,
            "loaded_at": naive(now),
            "run_id": run_id,
            "replaces": batch.replaces_batch_id,
        },
    )


def finding_id(finding: Finding) -> str:
    """The id of a finding. The same finding has the same id in every run."""
    parts = [finding.kind, finding.feed, str(finding.business_date), finding.file_name or "", finding.batch_id or ""]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write_findings(
    connection: duckdb.DuckDBPyConnection, findings: Sequence[Finding], now: datetime, run_id: str | None
) -> None:
    """Record findings. If a finding is already open, its time stays as it is."""
    for finding in findings:
        connection.execute(
            """
            INSERT INTO ops.findings
            SELECT $id, $kind, $feed, $asset, $day, $batch, $file, $message, $evidence::JSON, $state, $now,
                   CASE WHEN $state = 'resolved' THEN $now END, $run
            WHERE NOT EXISTS (SELECT 1 FROM ops.findings WHERE finding_id = $id AND state = 'open')
            """,
            {
                "id": finding_id(finding),
                "kind": finding.kind,
                "feed": finding.feed,
                "asset": f"bronze/{finding.feed}",
                "day": finding.business_date,
                "batch": finding.batch_id,
                "file": finding.file_name,
                "message": finding.message,
                "evidence": json.dumps(finding.evidence, ensure_ascii=False, default=str),
                "state": finding.state,
                "now": naive(now),
                "run": run_id,
            },
        )


def resolve(connection: duckdb.DuckDBPyConnection, batch: Batch, part: str, now: datetime) -> int:
    """Close the findings that `batch` settles. Returns their number.

    - Any delivery closes the finding that the file of its date is missing, and the findings about rejected files of its
      date and part.
    - A loaded file also closes all other findings about its date and part, and findings of earlier runs that only
      report an event.
    - A duplicate closes findings only if its bytes are those of the file that is loaded for its date and part. The
      source has then confirmed the loaded file, so a file that was rejected in the meantime needs no further action.
    """
    if batch.status == "duplicate" and not _confirms_what_stands(connection, batch, part):
        return 0
    statuses = ["rejected", "replaced", "loaded", "duplicate"] if batch.status == "loaded" else ["rejected"]
    rows = connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = $now
        WHERE feed = $feed AND state = 'open' AND (
            (business_date = $day AND batch_id IS NULL AND ($loaded OR kind = 'source_missing'))
            OR batch_id IN (
                SELECT batch_id FROM ops.batches
                WHERE feed = $feed AND business_date = $day AND part IS NOT DISTINCT FROM $part
                  AND list_contains($statuses, status)
            )
            OR ($loaded AND list_contains($events, kind) AND observed_at < $now)
        )
        RETURNING finding_id
        """,
        {
            "now": naive(now),
            "feed": batch.feed,
            "day": batch.business_date,
            "part": part,
            "loaded": batch.status == "loaded",
            "statuses": statuses,
            "events": list(EVENTS),
        },
    ).fetchall()
    return len(rows)


def _confirms_what_stands(connection: duckdb.DuckDBPyConnection, batch: Batch, part: str) -> bool:
    found = connection.execute(
        """
        SELECT 1 FROM ops.batches AS standing
        INNER JOIN ops.batches AS again ON again.batch_id = ? AND again.sha256 = standing.sha256
        WHERE standing.feed = ? AND standing.business_date = ? AND standing.part IS NOT DISTINCT FROM ?
          AND standing.status = 'loaded'
        """,
        [batch.batch_id, batch.feed, batch.business_date, part],
    ).fetchone()
    return found is not None


def resolve_taken(connection: duckdb.DuckDBPyConnection, feed: str, file_name: str, now: datetime) -> int:
    """Close the findings about a file that were written before the file had a batch. The file is now loaded and
    archived. Returns the number of findings.
    """
    rows = connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = $now
        WHERE feed = $feed AND state = 'open' AND batch_id IS NULL AND file_name = $file
        RETURNING finding_id
        """,
        {"now": naive(now), "feed": feed, "file": file_name},
    ).fetchall()
    return len(rows)


def close_ahead(connection: duckdb.DuckDBPyConnection, feed: str, waiting: Sequence[str], now: datetime) -> int:
    """Close the findings about files that waited, except those that are still `waiting` (see `absence.record_waiting`).
    Returns the number of findings.

    These findings have the kind `data_invalid`, a file and no batch. The same is true of a finding about a file that
    was replaced by something that is not a regular file. The run that writes such a finding must not close it again, so
    `waiting` contains the name of that file too.
    """
    rows = connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = $now
        WHERE feed = $feed AND state = 'open' AND kind = 'data_invalid' AND batch_id IS NULL
          AND file_name IS NOT NULL AND NOT list_contains($waiting::VARCHAR[], file_name)
        RETURNING finding_id
        """,
        {"now": naive(now), "feed": feed, "waiting": list(waiting)},
    ).fetchall()
    return len(rows)


def close_old(connection: duckdb.DuckDBPyConnection, feed: str, now: datetime) -> None:
    """Close doubts about loaded files that were not corrected within a week. The data then counts as right."""
    connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = $now
        WHERE feed = $feed AND state = 'open' AND observed_at <= $limit
          AND batch_id IN (SELECT batch_id FROM ops.batches WHERE feed = $feed AND status IN ('loaded', 'duplicate'))
        """,
        {"now": naive(now), "feed": feed, "limit": naive(now - SUSPICION)},
    )


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction around the block. It is committed at the end, or rolled back after an error."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
