"""A person can confirm that a delivery is right although it looked incomplete. The confirmation closes the open doubt
about the delivery. It is stored with the hash of the file. So the same file is not doubted again, and a refused file is
loaded when it is replayed. Any other file of that day is judged as before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from ops_project.pipeline.landing.write.journal import naive, transaction

DOUBT = "source_partial"


@dataclass(frozen=True)
class Doubt:
    """An open doubt about a file that was loaded, or refused."""

    finding_id: str
    batch_id: str
    file_name: str
    message: str
    refused: bool


def doubts(connection: duckdb.DuckDBPyConnection, feed: str, day: date) -> list[Doubt]:
    """The open doubts about the deliveries of a business date, oldest first."""
    rows = connection.execute(
        """
        SELECT findings.finding_id, batches.batch_id, batches.file_name, findings.message, batches.status = 'rejected'
        FROM ops.findings AS findings INNER JOIN ops.batches AS batches ON findings.batch_id = batches.batch_id
        WHERE findings.feed = ? AND findings.business_date = ? AND findings.kind = ? AND findings.state = 'open'
        ORDER BY batches.load_seq
        """,
        [feed, day, DOUBT],
    ).fetchall()
    return [Doubt(*row) for row in rows]


def confirm(
    connection: duckdb.DuckDBPyConnection, feed: str, day: date, *, by: str, why: str, now: datetime
) -> list[Doubt]:
    """Close the open doubts of a business date, and store who confirmed the files and why. Returns the doubts."""
    found = doubts(connection, feed, day)
    with transaction(connection):
        for doubt in found:
            connection.execute(
                """
                INSERT INTO ops.confirmations
                SELECT feed, business_date, batch_id, sha256, ?, ?, ? FROM ops.batches WHERE batch_id = ?
                """,
                [by, why, naive(now), doubt.batch_id],
            )
            connection.execute(
                "UPDATE ops.findings SET state = 'resolved', resolved_at = ? WHERE finding_id = ? AND state = 'open'",
                [naive(now), doubt.finding_id],
            )
    return found
