"""Writes the bronze rows and the quarantine of a file. Everything here runs within the transaction of the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb

from ops_project.pipeline.landing.context import Context
from ops_project.pipeline.landing.decide.taken import Taken
from ops_project.pipeline.landing.examine.examination import Examination
from ops_project.pipeline.landing.inbox import InboundFile
from ops_project.pipeline.landing.read.stage import GOOD_STATE, REFUSED, REPEATED, STAGED
from ops_project.pipeline.landing.result import Batch
from ops_project.pipeline.landing.write import journal, overruled
from ops_project.sql_text import identifier, literal

SHOWN_BYTES = 400
HANDED_OVER = "landing_handed_over"
# The number of rows that another engine passes at a time.
PORTION = 100_000


def take_back(context: Context, batch: Batch, replaced: list[Taken]) -> set[date]:
    """Remove the rows and the quarantine of replaced batches. Returns the business dates that these rows had."""
    table, touched = f"bronze.{identifier(batch.feed)}", set()
    for old in replaced:
        # The dates are read first, because DELETE … RETURNING would bring every row of the batch into memory.
        touched |= {
            row[0]
            for row in context.rows(f"SELECT DISTINCT business_date FROM {table} WHERE _batch_id = ?", [old.batch_id])
        }
        overruled.remember(context.connection, context.feed, f"{table} WHERE _batch_id = ?", [old.batch_id])
        context.connection.execute(f"DELETE FROM {table} WHERE _batch_id = ?", [old.batch_id])
        context.connection.execute("UPDATE ops.batches SET status = 'replaced' WHERE batch_id = ?", [old.batch_id])
        context.connection.execute("DELETE FROM ops.quarantine WHERE batch_id = ?", [old.batch_id])
    return touched


def write(
    context: Context, engine: duckdb.DuckDBPyConnection, found: Examination, batch: Batch, replaced: list[Taken]
) -> list[date]:
    """Write the bronze rows and the quarantine of a file, in place of those of the replaced batches. Returns the
    business dates that changed.
    """
    stage, connection, table = found.stage, context.connection, f"bronze.{identifier(context.feed.name)}"
    assert stage is not None
    touched = take_back(context, batch, replaced)
    good = f"_state = {GOOD_STATE}"
    if found.rows_repeated:
        good += f" AND {stage.ordinal} NOT IN (SELECT _ord FROM {REPEATED})"
    names = [name for name in found.contract.columns if name != "business_date"]
    columns = "".join(f"{identifier(name)}, " for name in names)
    values = "".join(f"{stage.value(name)}, " for name in names)
    rows = (
        f"SELECT {values}{stage.business_date}, {literal(batch.batch_id)}, {stage.line}, {batch.load_seq}::BIGINT, "
        f"TIMESTAMP '{journal.naive(context.now)}' FROM {STAGED} WHERE {good}"
    )
    with _readable(connection, engine, rows) as source:
        connection.execute(
            f"INSERT INTO {table} ({columns}business_date, _batch_id, _line, _load_seq, ingestion_timestamp) {source}"
        )
    # The date of the file counts as touched even if no row has it, because a file has now been delivered for it.
    touched.add(found.file_date)
    if stage.date_column is not None:
        days = engine.execute(f"SELECT DISTINCT {stage.business_date} FROM {STAGED} WHERE {good}").fetchall()
        touched |= {row[0] for row in days}
    overruled.remember(connection, context.feed, f"{table} WHERE _batch_id = ?", [batch.batch_id])
    touched |= overruled.dates(connection, context.feed)
    if found.rows_refused:
        refused = (
            f"SELECT {literal(batch.batch_id)}, {literal(batch.feed)}, {literal(batch.file_name)}, line, raw_text, "
            f"column_name, reason, reasons::VARCHAR, 1, kind FROM {REFUSED} ORDER BY line"
        )
        with _readable(connection, engine, refused) as source:
            connection.execute(
                "INSERT INTO ops.quarantine (batch_id, feed, file_name, line, raw_text, column_name, reason, reasons, "
                f"rows, kind) {source}"
            )
    return sorted(touched)


@contextmanager
def _readable(connection: duckdb.DuckDBPyConnection, engine: duckdb.DuckDBPyConnection, query: str) -> Iterator[str]:
    """SQL that gives the rows of `query` on `connection`. If another engine holds the rows, they are streamed from that
    engine.
    """
    if engine is connection:
        yield query
        return
    connection.register(HANDED_OVER, engine.execute(query).to_arrow_reader(PORTION))
    try:
        yield f"SELECT * FROM {HANDED_OVER}"
    finally:
        connection.unregister(HANDED_OVER)


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
