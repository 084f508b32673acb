"""Writes refused rows and rejected files into `ops.quarantine`, within the transaction of the file."""

from __future__ import annotations

import json

import duckdb

from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.inbox import InboundFile
from ops_project.pipeline.landing.read.stage import REFUSED
from ops_project.pipeline.landing.result import Batch
from ops_project.pipeline.landing.write.handed_over import readable
from ops_project.sql_text import literal

SHOWN_BYTES = 400


def quarantine_rows(connection: duckdb.DuckDBPyConnection, engine: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Write the refused rows of a file, which `engine` holds, into the quarantine."""
    refused = (
        f"SELECT {literal(batch.batch_id)}, {literal(batch.feed)}, {literal(batch.file_name)}, line, raw_text, "
        f"column_name, reason, reasons::VARCHAR, 1, kind FROM {REFUSED} ORDER BY line"
    )
    with readable(connection, engine, refused) as source:
        connection.execute(
            "INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, column_name, reason, reasons, "
            f"rows, kind) {source}"
        )


def quarantine_whole(context: Context, file: InboundFile, batch: Batch, found: Examination) -> None:
    """Write one row into the quarantine that represents all lines of a rejected file."""
    problem = found.rejected
    assert problem is not None
    with file.path.open("rb") as data:
        head = data.read(SHOWN_BYTES).decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    context.connection.execute(
        """
        INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, reason, reasons, rows, kind)
        VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?)
        """,
        [
            batch.batch_id,
            batch.feed,
            batch.file_name,
            head,
            problem.message,
            json.dumps([{"column": None, "reason": problem.message, "value": None}]),
            batch.rows_quarantined,
            f"the whole file: {problem.kind}",
        ],
    )
