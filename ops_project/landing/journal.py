"""Writes of landing's own tables: batches, findings, touched dates. Every call happens inside the file's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import duckdb

from ops_project.landing.result import Batch, Finding

# Findings that say what happened, not that something is outstanding: the next file that is in order closes them.
EVENTS = ("source_duplicate", "source_late")


def naive(moment: datetime) -> datetime:
    """`moment` as the tables keep it: UTC without zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def next_sequence(connection: duckdb.DuckDBPyConnection) -> int:
    """The next load sequence number; one writer, so nobody else takes it."""
    found = connection.execute("SELECT coalesce(max(load_seq), 0) + 1 FROM ops.batches").fetchone()
    assert found is not None
    return int(found[0])


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
    control_rows: int | None,
    now: datetime,
    run_id: str | None,
) -> None:
    """One row of ops.batches."""
    connection.execute(
        """
        INSERT INTO ops.batches BY NAME SELECT
            $batch_id AS batch_id, $feed AS feed, $domain AS domain, $file_name AS file_name, $part AS part,
            $archive_path AS archive_path, $sha256 AS sha256, $size AS size_bytes, $arrived_at AS arrived_at,
            $business_date AS business_date, $load_seq AS load_seq, $status AS status, $version AS contract_version,
            $rows_in AS rows_in, $rows_loaded AS rows_loaded, $rows_quarantined AS rows_quarantined,
            $rows_filtered AS rows_filtered, $rows_collapsed AS rows_collapsed, $control_rows AS control_rows,
            $finding AS finding, $message AS message, $loaded_at AS loaded_at, $run_id AS run_id,
            $replaces AS replaces_batch_id
        """,
        {
            "batch_id": batch.batch_id, "feed": batch.feed, "domain": domain, "file_name": batch.file_name, "part": part,
            "archive_path": archive_path, "sha256": sha256, "size": size, "arrived_at": naive(arrived_at),
            "business_date": batch.business_date, "load_seq": batch.load_seq, "status": batch.status, "version": version,
            "rows_in": batch.rows_in, "rows_loaded": batch.rows_loaded, "rows_quarantined": batch.rows_quarantined,
            "rows_filtered": batch.rows_filtered, "rows_collapsed": batch.rows_collapsed, "control_rows": control_rows,
            "finding": batch.finding, "message": batch.message, "loaded_at": naive(now), "run_id": run_id,
            "replaces": batch.replaces_batch_id,
        },
    )  # fmt: skip


def finding_id(finding: Finding) -> str:
    """The same finding has the same id in every run."""
    parts = [finding.kind, finding.feed, str(finding.business_date), finding.file_name or "", finding.batch_id or ""]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def write_findings(
    connection: duckdb.DuckDBPyConnection, findings: Sequence[Finding], now: datetime, run_id: str | None
) -> None:
    """Record findings; one that is recorded already keeps its time."""
    for finding in findings:
        connection.execute(
            """
            INSERT INTO ops.findings
            SELECT $id, $kind, $feed, $asset, $day, $batch, $file, $message, $evidence::JSON, $state, $now,
                   CASE WHEN $state = 'resolved' THEN $now END, $run
            WHERE NOT EXISTS (SELECT 1 FROM ops.findings WHERE finding_id = $id AND state = 'open')
            """,
            {
                "id": finding_id(finding), "kind": finding.kind, "feed": finding.feed, "asset": f"bronze/{finding.feed}",
                "day": finding.business_date, "batch": finding.batch_id, "file": finding.file_name,
                "message": finding.message, "evidence": json.dumps(finding.evidence, ensure_ascii=False, default=str),
                "state": finding.state, "now": naive(now), "run": run_id,
            },
        )  # fmt: skip


def resolve(
    connection: duckdb.DuckDBPyConnection, feed: str, day: date, kinds: Iterable[str] | None, now: datetime, keep: str
) -> int:
    """Close the open findings of a feed and date (all kinds, or `kinds`) but those of batch `keep`; how many there were."""
    listed = list(kinds) if kinds is not None else None
    rows = connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = ?
        WHERE feed = ? AND business_date = ? AND state = 'open' AND batch_id IS DISTINCT FROM ?
          AND (?::VARCHAR[] IS NULL OR list_contains(?::VARCHAR[], kind))
        RETURNING finding_id
        """,
        [naive(now), feed, day, keep, listed, listed],
    ).fetchall()
    return len(rows)


def resolve_events(connection: duckdb.DuckDBPyConnection, feed: str, now: datetime, keep: str) -> int:
    """Close what only told of an event, now that a file came in order."""
    rows = connection.execute(
        """
        UPDATE ops.findings SET state = 'resolved', resolved_at = ?
        WHERE feed = ? AND state = 'open' AND list_contains(?, kind) AND batch_id IS DISTINCT FROM ?
        RETURNING finding_id
        """,
        [naive(now), feed, list(EVENTS), keep],
    ).fetchall()
    return len(rows)
